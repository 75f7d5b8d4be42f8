using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dataflow.Scheduling;
using Dataflow.Storage;

namespace Dataflow.Cluster;

/// <summary>What a block is.</summary>
internal enum BlockKind
{
    /// <summary>Segments of one map output: <c>shuffle/SHUFFLE/MAP/WRITER/FIRST-END</c>, reduce partitions FIRST to END - 1.</summary>
    Shuffle,

    /// <summary>A cached partition: <c>cached/RDD/PARTITION</c>.</summary>
    Cached,

    /// <summary>A piece of a broadcast value: <c>broadcast/ID/PIECE</c>.</summary>
    Broadcast,

    /// <summary>A file of the application by the SHA-256 of its content in lower-case hex: <c>code/HASH</c>.</summary>
    Code,

    /// <summary>An assembly that the driver has loaded, by the SHA-256 of its simple name in UTF-8: <c>assembly/HASH</c>.</summary>
    Assembly,

    /// <summary>The code of a stage: <c>binary/ID</c>.</summary>
    Binary,

    /// <summary>The result of a task that was too large for a message: <c>result/TASK</c>.</summary>
    Result,
}

/// <summary>
/// The name of a block on the wire. It is parsed, never used as a path: numbers in plain decimal without signs or leading zeros, a hash of
/// exactly 64 hex digits, so that there is one spelling of each name and none that says anything else.
/// </summary>
internal readonly record struct BlockName
{
    /// <summary>No name is longer.</summary>
    public const int MaxLength = 80;

    private const int HashLength = 64;

    private BlockName(BlockKind kind, long first, int second = 0, int start = 0, int end = 0, string? hash = null, long writer = 0)
    {
        Kind = kind;
        First = first;
        Second = second;
        ReduceStart = start;
        ReduceEnd = end;
        Hash = hash;
        Writer = writer;
    }

    public BlockKind Kind { get; }

    /// <summary>The shuffle, Rdd, broadcast, stage code or task.</summary>
    public long First { get; }

    /// <summary>The map output, partition or piece.</summary>
    public int Second { get; }

    /// <summary>First reduce partition.</summary>
    public int ReduceStart { get; }

    /// <summary>End of the reduce partitions, exclusive.</summary>
    public int ReduceEnd { get; }

    /// <summary>The attempt that wrote the map output: another one's may have other rows.</summary>
    public long Writer { get; }

    /// <summary>The hash of a file's content, or of an assembly's name.</summary>
    public string? Hash { get; }

    public static BlockName Shuffle(ShuffleId shuffle, int map, TaskId writer, int reduceStart, int reduceEnd)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shuffle.Value);
        ArgumentOutOfRangeException.ThrowIfNegative(map);
        ArgumentOutOfRangeException.ThrowIfNegative(reduceStart);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(reduceEnd, reduceStart);
        return new(BlockKind.Shuffle, shuffle.Value, map, reduceStart, reduceEnd, writer: NotNegative(writer.Value));
    }

    public static BlockName Cached(RddBlockId block) => new(BlockKind.Cached, NotNegative(block.Rdd), (int)NotNegative(block.Partition));

    public static BlockName Broadcast(BroadcastBlockId block) => new(BlockKind.Broadcast, NotNegative(block.Broadcast), (int)NotNegative(block.Piece));

    public static BlockName Code(string hash) => IsHash(hash)
        ? new(BlockKind.Code, 0, hash: hash)
        : throw new ArgumentException($"'{hash}' is not a SHA-256 in lower-case hex.", nameof(hash));

    public static BlockName Assembly(string simpleName) =>
        new(BlockKind.Assembly, 0, hash: Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(simpleName))));

    public static BlockName Binary(long id) => new(BlockKind.Binary, NotNegative(id));

    public static BlockName Result(TaskId task) => new(BlockKind.Result, NotNegative(task.Value));

    /// <summary>Reads a name; false for anything that <see cref="ToString"/> would not write.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out BlockName name)
    {
        name = default;
        if (text.Length > MaxLength || text.IndexOf('/') is var slash && slash < 0) return false;
        var rest = text[(slash + 1)..];
        switch (text[..slash])
        {
            case "shuffle":
                if (!TakeInt(ref rest, '/', out var shuffle) || !TakeInt(ref rest, '/', out var map) || !Take(ref rest, '/', long.MaxValue, out var writer)
                    || !TakeInt(ref rest, '-', out var start) || !TakeLast(rest, int.MaxValue, out var end) || end <= start) return false;
                name = new(BlockKind.Shuffle, shuffle, map, start, (int)end, writer: writer);
                return true;
            case "cached":
                if (!TakeInt(ref rest, '/', out var rdd) || !TakeLast(rest, int.MaxValue, out var partition)) return false;
                name = new(BlockKind.Cached, rdd, (int)partition);
                return true;
            case "broadcast":
                if (!Take(ref rest, '/', long.MaxValue, out var broadcast) || !TakeLast(rest, int.MaxValue, out var piece)) return false;
                name = new(BlockKind.Broadcast, broadcast, (int)piece);
                return true;
            case "code":
                if (!IsHash(rest)) return false;
                name = new(BlockKind.Code, 0, hash: rest.ToString());
                return true;
            case "assembly":
                if (!IsHash(rest)) return false;
                name = new(BlockKind.Assembly, 0, hash: rest.ToString());
                return true;
            case "binary":
                if (!TakeLast(rest, long.MaxValue, out var binary)) return false;
                name = new(BlockKind.Binary, binary);
                return true;
            case "result":
                if (!TakeLast(rest, long.MaxValue, out var task)) return false;
                name = new(BlockKind.Result, task);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The one spelling of the name.</summary>
    public override string ToString() => Kind switch
    {
        BlockKind.Shuffle => string.Create(CultureInfo.InvariantCulture, $"shuffle/{First}/{Second}/{Writer}/{ReduceStart}-{ReduceEnd}"),
        BlockKind.Cached => string.Create(CultureInfo.InvariantCulture, $"cached/{First}/{Second}"),
        BlockKind.Broadcast => string.Create(CultureInfo.InvariantCulture, $"broadcast/{First}/{Second}"),
        BlockKind.Code => $"code/{Hash}",
        BlockKind.Assembly => $"assembly/{Hash}",
        BlockKind.Binary => string.Create(CultureInfo.InvariantCulture, $"binary/{First}"),
        BlockKind.Result => string.Create(CultureInfo.InvariantCulture, $"result/{First}"),
        _ => throw new InvalidOperationException($"A block name of kind {Kind} has no spelling."),
    };

    private static bool IsHash(ReadOnlySpan<char> text) => text.Length == HashLength && !text.ContainsAnyExcept("0123456789abcdef");

    private static long NotNegative(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return value;
    }

    private static bool TakeInt(ref ReadOnlySpan<char> rest, char end, out int value)
    {
        var taken = Take(ref rest, end, int.MaxValue, out var number);
        value = (int)number;
        return taken;
    }

    private static bool Take(ref ReadOnlySpan<char> rest, char end, long most, out long value)
    {
        value = 0;
        var at = rest.IndexOf(end);
        if (at < 0 || !TakeLast(rest[..at], most, out value)) return false;
        rest = rest[(at + 1)..];
        return true;
    }

    private static bool TakeLast(ReadOnlySpan<char> digits, long most, out long value)
    {
        value = 0;
        if (digits.IsEmpty || digits.ContainsAnyExcept("0123456789") || (digits.Length > 1 && digits[0] == '0')) return false;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= most;
    }
}
