namespace Dataflow.Tasks;

/// <summary>What the tasks of a job do: read one partition and make a result of it. The rest of the job stays in the driver.</summary>
internal sealed class RddFunction<T, TResult>(Rdd<T> rdd, Func<ChunkReader<T>, TaskContext, TResult> function)
{
    public object Run(Partition partition, TaskContext context)
    {
        using var reader = rdd.Read(partition, context);
        var value = function(reader, context);
        return new SizedResult<TResult>(value, context.Metrics.ResultBytes);
    }
}

/// <summary>The result of one partition.</summary>
/// <param name="Bytes">What it takes in the driver's memory, about; 0 if nobody measured.</param>
internal sealed record SizedResult<TResult>(TResult Value, long Bytes);
