using System.Collections.Concurrent;

namespace Dataflow.Cluster;

/// <summary>Asks the coordinator from whom to fetch files of applications, and says what is here. While it does not answer, the driver has them.</summary>
/// <param name="send">Sends to the coordinator, if it is there; from any thread.</param>
/// <param name="time">The clock.</param>
internal sealed class FileSources(Action<ControlMessage> send, TimeProvider time)
{
    // Others may have to fetch first, over a slow network; that the coordinator is gone its link tells. Whoever is still not served then goes to the driver.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<FilesAt?>> _asked = new(StringComparer.Ordinal);

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Asks for the next bundle that is not here. One caller for each application at a time.</summary>
    /// <param name="application">The application.</param>
    /// <param name="here">Bundles that are here.</param>
    /// <returns>Null if nobody says.</returns>
    public async Task<FilesAt?> AskAsync(string application, int[] here)
    {
        var answer = _asked[application] = new TaskCompletionSource<FilesAt?>(TaskCreationOptions.RunContinuationsAsynchronously);
        send(new WantFiles(application, here));
        try
        {
            return await answer.Task.WaitAsync(Patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _asked.TryRemove(new(application, answer));
        }
    }

    /// <summary>Says that bundles are here, so that others may fetch them; nothing is wanted.</summary>
    public void Offer(string application, int[] here) => send(new WantFiles(application, here));

    /// <summary>Says that a bundle is here now, or could not be fetched.</summary>
    public void Got(string application, int bundle, bool whole) => send(new GotFiles(application, bundle, whole));

    /// <summary>The coordinator has answered.</summary>
    public void Answer(FilesAt answer)
    {
        if (_asked.TryRemove(answer.Application, out var waits)) waits.TrySetResult(answer);
    }

    /// <summary>The coordinator is away: nobody will answer.</summary>
    public void GiveUp()
    {
        foreach (var (application, waits) in _asked)
        {
            if (_asked.TryRemove(new(application, waits))) waits.TrySetResult(null);
        }
    }
}
