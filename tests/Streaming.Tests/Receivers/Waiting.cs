namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>Waits on conditions.</summary>
internal static class Waiting
{
    public static async Task Until(Func<bool> condition, StreamingQuery? query = null)
    {
        var deadline = Environment.TickCount64 + 60_000;
        while (!condition())
        {
            if (query is { IsActive: false }) await query.AwaitTerminationAsync();
            Assert.True(Environment.TickCount64 < deadline, "It did not come to that within a minute.");
            await Task.Delay(5);
        }
    }

    /// <summary>The texts of a column that a sink has, in the order in which they came.</summary>
    public static string[] Texts(this MemorySink sink, string column = "value") => [.. sink.Rows.Select(row => row.Get<string>(column))];
}
