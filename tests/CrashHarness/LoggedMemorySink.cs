using System.Globalization;
using System.Text;
using System.Text.Json;
using Dataflow.Compression;
using Dataflow.Streaming;
using Dataflow.Streaming.Tests;

namespace Dataflow.CrashHarness;

/// <summary>Rows in memory, and in a log from which the next process has them again. A batch that is there already is passed over.</summary>
/// <remarks>A line a batch: CRC-32C of the rest, number, rows as JSON. The last line may be torn, and is written over then.</remarks>
internal sealed class LoggedMemorySink : IStreamSink
{
    private readonly string _path;
    private long _length;

    public LoggedMemorySink(string path)
    {
        _path = path;
        if (!File.Exists(path)) return;
        var bytes = File.ReadAllBytes(path).AsSpan();
        while (bytes[(int)_length..].IndexOf((byte)'\n') is var end and >= 0)
        {
            var line = bytes.Slice((int)_length, end);
            if (line.Length < 9 || Encoding.ASCII.GetString(line[..8]) != Sum(line[9..])) throw new InvalidDataException($"'{path}' is not as it was written at byte {_length}.");
            var rest = Encoding.UTF8.GetString(line[9..]);
            var blank = rest.IndexOf(' ', StringComparison.Ordinal);
            Batches.Add(long.Parse(rest.AsSpan(0, blank), CultureInfo.InvariantCulture), JsonSerializer.Deserialize<PageMinute[]>(rest[blank..])!);
            _length += end + 1;
        }
    }

    public SortedDictionary<long, PageMinute[]> Batches { get; } = [];

    public string Name => "memory with a log";

    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        if (Batches.ContainsKey(batch.Id)) return;
        PageMinute[] rows = [.. await batch.Rows.CollectAsync<PageMinute>(cancellationToken).ConfigureAwait(false)];
        var text = Encoding.UTF8.GetBytes($"{batch.Id} {JsonSerializer.Serialize(rows)}");
        using var file = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.SetLength(_length);
        file.Position = _length;
        byte[] line = [.. Encoding.ASCII.GetBytes($"{Sum(text)} "), .. text, (byte)'\n'];
        // In two pieces, so that ends of the process fall between them at times.
        file.Write(line.AsSpan(0, line.Length / 2));
        file.Write(line.AsSpan(line.Length / 2));
        file.Flush(flushToDisk: true);
        _length += line.Length;
        Batches.Add(batch.Id, rows);
    }

    private static string Sum(ReadOnlySpan<byte> bytes) => Crc32C.Of(bytes).ToString("x8", CultureInfo.InvariantCulture);
}
