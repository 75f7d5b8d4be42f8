using System.Text;
using System.Threading.Channels;
using Dataflow.Cluster.Tests;
using Dataflow.TestKit;
using static Dataflow.Sql.Functions;

namespace Dataflow.Streaming.Tests.Receivers;

/// <summary>What a driver received, read by executors from the log, and rows that executors give away.</summary>
public sealed class ReceiverOnExecutorsTests
{
    private sealed record Reading(string Room, double Degrees);

    [Fact]
    public async Task Executors_read_the_log_of_every_kind_of_receiver_and_write_by_themselves()
    {
        using var folder = new TempDirectory();
        await using var context = await DataflowContext.ListenAsync("http://127.0.0.1:0");
        using var worker = new WorkerProcess(context.Cluster.Url.ToString());
        await context.Cluster.WaitForWorkersAsync(1, TimeSpan.FromMinutes(1));

        var channel = Channel.CreateUnbounded<Reading>();
        foreach (var i in Enumerable.Range(0, 3000)) channel.Writer.TryWrite(new("hall", i));
        channel.Writer.Complete();
        var sink = new MemorySink();
        await using (var query = context.ReadStream.From(channel.Reader).WriteStream.Start(sink, new() { Trigger = Trigger.AvailableNow, MaxRowsPerBatch = 1000 })) await query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => (double)i), sink.Rows.Select(row => row.Get<double>("Degrees")).Order());

        var (source, events) = (EventPushSource.Json<Reading>(), new MemorySink());
        await using (var query = context.ReadStream.From(source).Where(Col("Degrees") > 1).WriteStream.Start(events))
        {
            using var client = new HttpClient();
            using var content = new StringContent("""[{"body": "{\"Room\": \"a\", \"Degrees\": 1}"}, {"body": "{\"Room\": \"b\", \"Degrees\": 2}"}]""", Encoding.UTF8);
            Assert.True((await client.PostAsync(source.Url, content)).IsSuccessStatusCode);
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(["b"], events.Texts("Room"));

        using var server = new LineServer(isHttp: false, LineServer.Send("one\ntwo\n"));
        Directory.CreateDirectory(folder.Combine("out"));
        var path = folder.Combine("out");
        await using (var query = context.ReadStream.Socket("127.0.0.1", server.Port, includeTimestamp: true).WriteStream.Foreach(() => new FileWriter(path), new() { Trigger = Trigger.AvailableNow }))
            await query.AwaitTerminationAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["one", "two"], Directory.GetFiles(path).SelectMany(File.ReadAllLines).Order());
        Assert.DoesNotContain(Directory.GetFiles(path), file => file.EndsWith($"-{Environment.ProcessId}", StringComparison.Ordinal));

        var time = new ManualTimeProvider();
        var numbers = new MemorySink();
        await using (var query = context.ReadStream.Rate(1000, partitions: 2, time).WriteStream.Start(numbers))
        {
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
            time.Advance(TimeSpan.FromSeconds(1));
            await query.ProcessAllAvailableAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), numbers.Rows.Select(row => row.Get<long>("value")));
    }

    private sealed class FileWriter(string folder) : IRowWriter
    {
        private readonly List<string> _lines = [];
        private string _name = "";

        public bool Open(int partition, long batch)
        {
            _name = $"{batch}-{partition}-{Environment.ProcessId}";
            return true;
        }

        public void Process(Row row) => _lines.Add(row.Get<string>("value"));

        public void Close(Exception? error)
        {
            if (_lines.Count > 0) File.WriteAllLines(Path.Combine(folder, _name), _lines);
        }
    }
}
