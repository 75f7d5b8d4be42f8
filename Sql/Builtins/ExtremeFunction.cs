using System.Numerics;
using System.Runtime.Intrinsics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary><c>min</c> and <c>max</c> of any type that has an order. NaN is larger than all other numbers.</summary>
internal sealed class ExtremeFunction(string name) : AggregateFunction(name)
{
    private bool IsMax => Name == "max";

    public override string Usage => $"{Name}(value)";

    public override string Summary => $"The {(IsMax ? "largest" : "smallest")} value that is not null; null if there is none.";

    public override bool IgnoresDuplicates => true;

    public override Signature? Resolve(ValueList<Expression> arguments) =>
        arguments.Count == 1 && ComparisonFunction.IsComparable(arguments[0].Type) ? new Signature([arguments[0].Type], arguments[0].Type) : null;

    public override ValueList<DataType> StateTypes(AggregateCall call) => [call.Type];

    public override AggregateKernel Compile(AggregateCall call) => call.Type.Physical switch
    {
        PhysicalType.Bit => new BitExtremeKernel(IsMax),
        PhysicalType.Int8 => New<sbyte, Less<sbyte>>(),
        PhysicalType.Int16 => New<short, Less<short>>(),
        PhysicalType.Int32 => New<int, Less<int>>(),
        PhysicalType.Int64 => New<long, Less<long>>(),
        PhysicalType.Int128 => New<Int128, Less<Int128>>(),
        PhysicalType.Float32 => New<float, FloatLess<float>>(),
        PhysicalType.Float64 => New<double, FloatLess<double>>(),
        _ => new ViewExtremeKernel(IsMax),
    };

    private AggregateKernel New<T, TLess>() where T : unmanaged where TLess : struct, ICompare<T> =>
        IsMax ? new ExtremeKernel<T, Flipped<T, TLess>>() : new ExtremeKernel<T, TLess>();
}

/// <summary>The other way round.</summary>
internal readonly struct Flipped<T, TCompare> : ICompare<T> where T : unmanaged where TCompare : struct, ICompare<T>
{
    public static bool Of(T left, T right) => TCompare.Of(right, left);

    public static Vector512<T> Of(Vector512<T> left, Vector512<T> right) =>
        TCompare.Of(right, left);

    public static Vector256<T> Of(Vector256<T> left, Vector256<T> right) =>
        TCompare.Of(right, left);

    public static Vector128<T> Of(Vector128<T> left, Vector128<T> right) =>
        TCompare.Of(right, left);
}

/// <summary>The first value in an order: of fixed-width types.</summary>
internal sealed unsafe class ExtremeKernel<T, TBefore> : AggregateKernel
    where T : unmanaged
    where TBefore : struct, ICompare<T>
{
    private readonly GroupArray<T> _values = new();
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => sizeof(T) + 1;

    public override void Grow(int groups)
    {
        _values.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _values.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant) return;
        var values = new Operand<T>(vector);
        var hasNulls = vector.Validity != null;
        var (best, seen) = (_values.Items, _seen.Items);
        for (var i = 0; i < rows.Length; i++)
        {
            if (hasNulls && vector.IsNull(rows[i])) continue;
            var group = groups[i];
            var value = values[rows[i]];
            if (seen[group] && !TBefore.Of(value, best[group])) continue;
            best[group] = value;
            seen[group] = true;
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant || rows == 0) return;
        var values = new Operand<T>(vector);
        var (best, seen) = (_values.Items[group], _seen.Items[group]);
        if (seen && vector.Form == VectorForm.Flat && Vector512.IsHardwareAccelerated && Vector512<T>.IsSupported)
        {
            _values.Items[group] = Beaten((T*)vector.Data, vector, rows, mask, best);
            return;
        }
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = MaskedSums.Word(mask, vector, word, rows); bits != 0; bits &= bits - 1)
            {
                var value = values[(word << 6) + BitOperations.TrailingZeroCount(bits)];
                if (seen && !TBefore.Of(value, best)) continue;
                best = value;
                seen = true;
            }
            if (seen && vector.Form == VectorForm.Constant) break;
        }
        (_values.Items[group], _seen.Items[group]) = (best, seen);
    }

    // Once there is a value, few rows beat it: 64 rows at a time are only asked whether one does.
    private static T Beaten(T* data, ColumnVector vector, int rows, ulong* mask, T best)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var bits = MaskedSums.Word(mask, vector, word, rows);
            if (bits == 0) continue;
            var at = data + (word << 6);
            var bound = Vector512.Create(best);
            var beats = 0UL;
            var count = Math.Min(64, rows - (word << 6));
            for (var i = 0; i < count; i += Vector512<T>.Count) beats |= TBefore.Of(Vector512.Load(at + i), bound).ExtractMostSignificantBits() << i;
            for (beats &= bits; beats != 0; beats &= beats - 1)
            {
                var value = at[BitOperations.TrailingZeroCount(beats)];
                if (TBefore.Of(value, best)) best = value;
            }
        }
        return best;
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => WriteResults(first, count, states[0], heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        _values.Items.AsSpan(first, count).CopyTo(new Span<T>(result.Data, count));
        Seen.Write(_seen.Items, first, count, result);
    }
}

/// <summary>The first text or bytes in an order; states own copies.</summary>
internal sealed unsafe class ViewExtremeKernel(bool isMax) : AggregateKernel
{
    private readonly GroupArray<byte[]?> _values = new();
    private long _extra;

    public override int BytesPerGroup => sizeof(long);

    public override long ExtraBytes => _extra;

    public override void Grow(int groups) => _values.Grow(groups);

    public override void Clear()
    {
        _values.Clear();
        _extra = 0;
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant) return;
        var values = new Operand<StringView>(vector);
        for (var i = 0; i < rows.Length; i++)
        {
            if (!vector.IsNull(rows[i])) Offer(groups[i], StringView.BytesOf(values.At(rows[i])));
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        var vector = arguments[0];
        if (vector.IsNullConstant) return;
        var values = new Operand<StringView>(vector);
        StringView* best = null;
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            for (var bits = MaskedSums.Word(mask, vector, word, rows); bits != 0; bits &= bits - 1)
            {
                var value = values.At((word << 6) + BitOperations.TrailingZeroCount(bits));
                if (best == null || (isMax ? StringView.Compare(value, best) > 0 : StringView.Compare(value, best) < 0)) best = value;
            }
        }
        if (best != null) Offer(group, StringView.BytesOf(best));
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => WriteResults(first, count, states[0], heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var to = (StringView*)result.Data;
        var hasNulls = false;
        Bits.Fill(result.Validity, count);
        for (var i = 0; i < count; i++)
        {
            var value = _values.Items[first + i];
            to[i] = value is null ? default : heap.Add(value);
            if (value is not null) continue;
            hasNulls = true;
            Bits.Clear(result.Validity, i);
        }
        result.Set(count, hasNulls);
    }

    private void Offer(int group, ReadOnlySpan<byte> value)
    {
        var best = _values.Items[group];
        if (best is not null)
        {
            var order = value.SequenceCompareTo(best);
            if (isMax ? order <= 0 : order >= 0) return;
            _extra -= Size(best);
            // A value of the same length takes the place of the old one.
            if (best.Length == value.Length)
            {
                value.CopyTo(best);
                _extra += Size(best);
                return;
            }
        }
        _values.Items[group] = best = value.ToArray();
        _extra += Size(best);
    }

    private static long Size(byte[] value) => value.Length + 24L;
}

/// <summary>The first boolean in an order: false before true. Also <c>bool_and</c> and <c>bool_or</c>.</summary>
internal sealed unsafe class BitExtremeKernel(bool isMax) : AggregateKernel
{
    private readonly GroupArray<bool> _values = new();
    private readonly GroupArray<bool> _seen = new();

    public override int BytesPerGroup => 2;

    public override void Grow(int groups)
    {
        _values.Grow(groups);
        _seen.Grow(groups);
    }

    public override void Clear()
    {
        _values.Clear();
        _seen.Clear();
    }

    public override void Update(ReadOnlySpan<ColumnVector> arguments, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups)
    {
        var vector = arguments[0];
        for (var i = 0; i < rows.Length; i++)
        {
            if (vector.IsNull(rows[i])) continue;
            var value = vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Bit((int)vector.Codes[rows[i]]) : vector.Bit(rows[i]);
            Offer(groups[i], value);
        }
    }

    public override void UpdateOne(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* mask, int group)
    {
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var (value, known) = Three.Word(arguments[0], word);
            known &= Bits.Word(mask, word, rows);
            if (known == 0) continue;
            Offer(group, isMax ? (value & known) != 0 : (~value & known) == 0);
        }
    }

    public override void Merge(ReadOnlySpan<ColumnVector> states, ReadOnlySpan<ushort> rows, ReadOnlySpan<int> groups) => Update(states, rows, groups);

    public override void WriteStates(int first, int count, ReadOnlySpan<FlatVector> states, TextHeap heap) => WriteResults(first, count, states[0], heap);

    public override void WriteResults(int first, int count, FlatVector result, TextHeap heap)
    {
        var to = (ulong*)result.Data;
        Bits.Zero(to, count);
        for (var i = 0; i < count; i++)
        {
            if (_values.Items[first + i]) Bits.Set(to, i);
        }
        Seen.Write(_seen.Items, first, count, result);
    }

    private void Offer(int group, bool value)
    {
        _values.Items[group] = !_seen.Items[group] ? value : isMax ? _values.Items[group] | value : _values.Items[group] & value;
        _seen.Items[group] = true;
    }
}
