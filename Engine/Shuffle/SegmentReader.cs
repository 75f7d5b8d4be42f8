using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dataflow.Serialization;

namespace Dataflow.Shuffle;

/// <summary>Reads rows from segments, in the order given. Rows without references are lent in place.</summary>
internal sealed class SegmentReader<TRow>(IReadOnlyList<InputSegment> segments) : ChunkReader<TRow>
{
    private const int Longest = 4 * DefaultLength;

    private SegmentView _view;
    private TRow[]? _rows;
    private int _count;
    private int _next;
    private int _nextSegment;

    /// <summary>Rows in all.</summary>
    public long Rows
    {
        get
        {
            var rows = 0L;
            foreach (var segment in segments) rows += segment.Rows;
            return rows;
        }
    }

    public override bool TryRead(out ReadOnlySpan<TRow> chunk)
    {
        while (_next == _count)
        {
            if (_nextSegment == segments.Count)
            {
                Close();
                chunk = default;
                return false;
            }
            Open(segments[_nextSegment++]);
        }
        var length = Math.Min(Longest, _count - _next);
        chunk = _rows is not null ? _rows.AsSpan(_next, length) : NativeRows(_view.Bytes).Slice(_next, length);
        _next += length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        Close();
        _nextSegment = segments.Count;
    }

    private void Open(InputSegment segment)
    {
        Close();
        _view = segment.Open();
        _count = segment.Rows;
        if (_view.Objects is { } objects)
        {
            _rows = (TRow[])objects;
        }
        else if (RuntimeHelpers.IsReferenceOrContainsReferences<TRow>())
        {
            // Fresh objects each time: whoever took elements of the last segment may keep them.
            _rows = new TRow[_count];
            var reader = new BlockReader(_view.Bytes);
            Codec<TRow>.Default.Read(ref reader, _rows);
        }
    }

    private void Close()
    {
        _view.Dispose();
        _view = default;
        _rows = null;
        _count = 0;
        _next = 0;
    }

    private static ReadOnlySpan<TRow> NativeRows(ReadOnlySpan<byte> bytes) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, TRow>(ref MemoryMarshal.GetReference(bytes)), bytes.Length / Unsafe.SizeOf<TRow>());
}
