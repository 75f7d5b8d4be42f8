using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Aggregates whose state is a run of bytes that grows: one object a group.</summary>
/// <typeparam name="T">The state of a group.</typeparam>
internal abstract unsafe class ObjectKernel<T> : AggregateKernel where T : class
{
    private readonly GroupArray<T?> _states = new();
    private long _extra;

    public sealed override int BytesPerGroup => sizeof(long);

    public sealed override long ExtraBytes => _extra;

    public sealed override void Grow(int groups) => _states.Grow(groups);

    public sealed override void Clear()
    {
        _states.Clear();
        _extra = 0;
    }

    public sealed override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (!arguments[0].IsNull(rows[i])) _extra += Add(ref _states.Items[groups[i]], arguments[0], rows[i]);
        }
    }

    public sealed override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = MaskedSums.Word(mask, arguments[0], word, rows); bits != 0; bits &= bits - 1)
                _extra += Add(ref _states.Items[group], arguments[0], (word << 6) + BitOperations.TrailingZeroCount(bits));
        }
    }

    public sealed override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (!states[0].IsNull(rows[i])) _extra += Merge(ref _states.Items[groups[i]], StringView.BytesOf((StringView*)states[0].ValueAt(rows[i])));
        }
    }

    public sealed override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap)
    {
        var to = (StringView*)states[0].Data;
        Bits.Fill(states[0].Validity, count);
        var hasNulls = false;
        for (var i = 0; i < count; i++)
        {
            var state = _states.Items[first + i];
            to[i] = state is null ? default : heap.Add(Write(state));
            if (state is not null) continue;
            hasNulls = true;
            Bits.Clear(states[0].Validity, i);
        }
        states[0].Set(count, hasNulls);
    }

    public sealed override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        Bits.Fill(result.Validity, count);
        if (result.Vector.Type.Physical == PhysicalType.View) new Span<byte>(result.Data, count * sizeof(StringView)).Clear();
        var hasNulls = false;
        for (var i = 0; i < count; i++)
        {
            if (WriteResult(_states.Items[first + i], result, i, heap)) continue;
            hasNulls = true;
            Bits.Clear(result.Validity, i);
        }
        result.Set(count, hasNulls);
    }

    /// <summary>Adds a value that is not null, and gives by how many bytes the state grew.</summary>
    protected abstract long Add(ref T? state, ColumnVector vector, int row);

    /// <summary>Adds what <see cref="Write"/> wrote, and gives by how many bytes the state grew.</summary>
    protected abstract long Merge(ref T? state, ReadOnlySpan<byte> bytes);

    protected abstract ReadOnlySpan<byte> Write(T state);

    /// <summary>Writes the value of a group, whose state is null if it had no rows; false for null.</summary>
    protected abstract bool WriteResult(T? state, FlatVector result, int row, TextHeap heap);
}
