using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;

namespace Dataflow.Sql.Lambdas;

/// <summary>Gives the values of flat vectors as values of .NET: numbers in place, others through an array of a batch's length. One a parameter and task.</summary>
/// <typeparam name="V">The parameter's type.</typeparam>
internal abstract unsafe class ArgumentReader<V>
{
    /// <summary>The values of the rows that count; those of others are arbitrary.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="start">The first row, a multiple of 64.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="live">Which rows of the vector count; null for all.</param>
    public abstract ReadOnlySpan<V> Read(ColumnVector vector, int start, int count, ulong* live);

    /// <summary>The reader of a type that <see cref="ClrTypes"/> knows.</summary>
    public static ArgumentReader<V> Make()
    {
        if (LambdaLoop.IsInPlace(typeof(V))) return new InPlace();
        if (Nullable.GetUnderlyingType(typeof(V)) is { } plain) return (ArgumentReader<V>)Activator.CreateInstance(typeof(NullableReader<>).MakeGenericType(plain))!;
        return new Converting();
    }

    private sealed class InPlace : ArgumentReader<V>
    {
        public override ReadOnlySpan<V> Read(ColumnVector vector, int start, int count, ulong* live) => new(vector.Data + ((nint)start * Unsafe.SizeOf<V>()), count);
    }

    private sealed class Converting : ArgumentReader<V>
    {
        private readonly V[] _values = new V[LambdaLoop.PartRows];
        private Func<ColumnVector, int, V>? _read;
        private DataType? _type;

        public override ReadOnlySpan<V> Read(ColumnVector vector, int start, int count, ulong* live)
        {
            if (_type != vector.Type) (_read, _type) = (ValueReader.Of<V>(vector.Type), vector.Type);
            var read = _read!;
            for (var first = 0; first < count; first += 64)
            {
                for (var bits = Bits.Word(live, (start + first) >> 6, start + count); bits != 0; bits &= bits - 1)
                {
                    var row = first + System.Numerics.BitOperations.TrailingZeroCount(bits);
                    _values[row] = vector.IsNull(start + row) ? default! : read(vector, start + row);
                }
            }
            return _values.AsSpan(0, count);
        }
    }
}

internal sealed unsafe class NullableReader<V> : ArgumentReader<V?> where V : struct
{
    private readonly ArgumentReader<V> _reader = ArgumentReader<V>.Make();
    private readonly V?[] _values = new V?[LambdaLoop.PartRows];

    public override ReadOnlySpan<V?> Read(ColumnVector vector, int start, int count, ulong* live)
    {
        var values = _reader.Read(vector, start, count, live);
        for (var row = 0; row < count; row++) _values[row] = vector.IsNull(start + row) ? null : values[row];
        return _values.AsSpan(0, count);
    }
}

/// <summary>How one value of a column becomes one of .NET.</summary>
internal static class ValueReader
{
    public static Func<ColumnVector, int, V> Of<V>(DataType type)
    {
        // Parameters narrower than their column's type: unsigned ones.
        if (typeof(V) == typeof(byte)) return As<V, byte>(static (vector, row) => checked((byte)vector.Value<short>(row)));
        if (typeof(V) == typeof(ushort)) return As<V, ushort>(static (vector, row) => checked((ushort)vector.Value<int>(row)));
        if (typeof(V) == typeof(uint)) return As<V, uint>(static (vector, row) => checked((uint)vector.Value<long>(row)));
        if (typeof(V) == typeof(ulong)) return As<V, ulong>(static (vector, row) => checked((ulong)vector.Value<Int128>(row)));
        var method = ColumnReaders.Find(type, typeof(V)) ?? throw new InvalidOperationException($"Nothing reads a {type} as {typeof(V)}. This is a mistake in Dataflow: please report it.");
        return method.CreateDelegate<Func<ColumnVector, int, V>>();
    }

    private static Func<ColumnVector, int, V> As<V, W>(Func<ColumnVector, int, W> read) => Unsafe.As<Func<ColumnVector, int, V>>(read);
}
