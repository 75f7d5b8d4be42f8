namespace Dataflow.Sql.Physical;

/// <summary>Shows users the error of their query, not of the job that met it.</summary>
internal static class QueryRunErrors
{
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

    private static QueryException? CauseOf(Exception error)
    {
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is QueryException query) return query;
        }
        return null;
    }
}
