using System.Runtime.ExceptionServices;

namespace Dataflow.MLlib.NeighborKernels;

/// <summary>Work on several threads, of which an error comes as it was thrown: a user's filter, or a named error, is not wrapped.</summary>
internal static class SharedWork
{
    /// <summary>Runs numbers from 0, on at most some threads.</summary>
    public static void Run(int count, int threads, Action<int> work)
    {
        if (threads == 1 || count == 1)
        {
            for (var i = 0; i < count; i++) work(i);
            return;
        }
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, work);
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }
}
