using Dataflow.Errors;

namespace Dataflow.Sql.Physical;

/// <summary>Shows users the error of their query, not of the job that met it.</summary>
internal static class QueryRunErrors
{
    public static async Task Unwrap(Task job)
    {
        try
        {
            await job.ConfigureAwait(false);
        }
        catch (JobFailedException failed) when (CauseOf(failed) is { } cause)
        {
            throw cause;
        }
    }

    public static async Task<T> Unwrap<T>(Task<T> job)
    {
        try
        {
            return await job.ConfigureAwait(false);
        }
        catch (JobFailedException failed) when (CauseOf(failed) is { } cause)
        {
            throw cause;
        }
    }

    public static IEnumerable<T> Unwrap<T>(IEnumerable<T> results)
    {
        using var items = results.GetEnumerator();
        while (true)
        {
            try
            {
                if (!items.MoveNext()) yield break;
            }
            catch (JobFailedException failed) when (CauseOf(failed) is { } cause)
            {
                throw cause;
            }
            yield return items.Current;
        }
    }

    public static async IAsyncEnumerable<T> Unwrap<T>(IAsyncEnumerable<T> results)
    {
        var items = results.GetAsyncEnumerator();
        await using var _ = items.ConfigureAwait(false);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false)) yield break;
            }
            catch (JobFailedException failed) when (CauseOf(failed) is { } cause)
            {
                throw cause;
            }
            yield return items.Current;
        }
    }

    // Only errors of libraries travel as what they are.
    private static Exception? CauseOf(Exception error)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is ITravellingError) return inner;
        }
        return null;
    }
}
