using System.Runtime.Intrinsics;
using Dataflow.Files;

namespace Dataflow.Sql.Csv;

/// <summary>Where in a record a byte stands.</summary>
internal enum CsvState : byte
{
    /// <summary>A record begins.</summary>
    RecordStart,

    /// <summary>A field begins: a quote opens it.</summary>
    FieldStart,

    /// <summary>In a field without quotes.</summary>
    Plain,

    /// <summary>Between quotes.</summary>
    Quoted,

    /// <summary>Behind a quote between quotes: the last one, or the first of two.</summary>
    QuoteInQuoted,

    /// <summary>Behind an escape between quotes.</summary>
    Escaped,
}

/// <summary>
/// Finds in which state each part of a large file begins, so that tasks can read parts whose first bytes may stand between quotes: each part is run through
/// from every state at once, in parallel, and the results are put one behind the other.
/// </summary>
/// <remarks>Mytkowicz, Musuvathi, Schulte, "Data-Parallel Finite-State Machines" (2014), section 2. Words without quotes need no look at their bytes.</remarks>
internal sealed unsafe class CsvStates(CsvDialect dialect)
{
    private const int StateCount = 6;
    private const int BlockBytes = 1 << 20;

    /// <summary>The state at the beginning of each part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offsets">Where parts begin; the first at 0.</param>
    public CsvState[] Find(string path, long[] offsets)
    {
        var maps = new CsvState[offsets.Length][];
        try
        {
            Parallel.For(0, offsets.Length - 1, i => maps[i] = Run(path, offsets[i], offsets[i + 1]));
        }
        catch (AggregateException errors)
        {
            throw errors.InnerExceptions[0];
        }
        var states = new CsvState[offsets.Length];
        for (var i = 1; i < states.Length; i++) states[i] = maps[i - 1][(int)states[i - 1]];
        return states;
    }

    /// <summary>The state behind a byte.</summary>
    public CsvState Next(CsvState state, byte value)
    {
        switch (state)
        {
            case CsvState.Quoted:
                if (value == dialect.Escape && dialect.Escape != dialect.Quote) return CsvState.Escaped;
                if (value == dialect.Quote) return CsvState.QuoteInQuoted;
                return value == '\n' && !dialect.IsMultiLine ? CsvState.RecordStart : CsvState.Quoted;
            case CsvState.Escaped:
                return value == '\n' && !dialect.IsMultiLine ? CsvState.RecordStart : CsvState.Quoted;
            case CsvState.QuoteInQuoted when value == dialect.Quote:
                return CsvState.Quoted;
            case CsvState.QuoteInQuoted when value == '\r':
                return CsvState.QuoteInQuoted;
            default:
                if (value == '\n') return CsvState.RecordStart;
                if (value == dialect.Delimiter) return CsvState.FieldStart;
                return value == dialect.Quote && state is (CsvState.RecordStart or CsvState.FieldStart) ? CsvState.Quoted : CsvState.Plain;
        }
    }

    private CsvState[] Run(string path, long start, long end)
    {
        var states = new CsvState[StateCount];
        for (var i = 0; i < StateCount; i++) states[i] = (CsvState)i;
        var buffer = GC.AllocateUninitializedArray<byte>(BlockBytes);
        using var file = FileSystems.For(path).OpenRead(path, start);
        for (var left = end - start; left > 0;)
        {
            var read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0) break;
            Run(buffer.AsSpan(0, read), states);
            left -= read;
        }
        return states;
    }

    private void Run(ReadOnlySpan<byte> bytes, CsvState[] states)
    {
        var quote = Vector256.Create((byte)dialect.Quote);
        var escape = Vector256.Create((byte)dialect.Escape);
        var at = 0;
        fixed (byte* data = bytes)
        {
            for (; at + 64 <= bytes.Length; at += 64)
            {
                var low = Vector256.Load(data + at);
                var high = Vector256.Load(data + at + 32);
                var special = Vector256.Equals(low, quote) | Vector256.Equals(high, quote) | Vector256.Equals(low, escape) | Vector256.Equals(high, escape);
                if (special != Vector256<byte>.Zero)
                {
                    Step(bytes.Slice(at, 64), states);
                    continue;
                }
                var last = Next(CsvState.Plain, data[at + 63]);
                for (var i = 0; i < StateCount; i++)
                {
                    if (states[i] is CsvState.Quoted or CsvState.Escaped) states[i] = CsvState.Quoted;
                    else if (states[i] != CsvState.QuoteInQuoted) states[i] = last;
                    else Step(bytes.Slice(at, 64), ref states[i]);
                }
            }
        }
        Step(bytes[at..], states);
    }

    private void Step(ReadOnlySpan<byte> bytes, CsvState[] states)
    {
        for (var i = 0; i < StateCount; i++) Step(bytes, ref states[i]);
    }

    private void Step(ReadOnlySpan<byte> bytes, ref CsvState state)
    {
        var now = state;
        foreach (var value in bytes) now = Next(now, value);
        state = now;
    }
}
