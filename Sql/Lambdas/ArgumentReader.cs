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
    public abstract ReadOnlySpan<V> Read(ColumnVector vector, int rows, ulong* live);

    /// <summary>The reader of a type that <see cref="ClrTypes"/> knows.</summary>
    public static ArgumentReader<V> Make()
    {
        if (typeof(V) == typeof(sbyte) || typeof(V) == typeof(short) || typeof(V) == typeof(int) || typeof(V) == typeof(long) || typeof(V) == typeof(float) || typeof(V) == typeof(double))
            return new InPlace();
        if (Nullable.GetUnderlyingType(typeof(V)) is { } plain) return (ArgumentReader<V>)Activator.CreateInstance(typeof(NullableReader<>).MakeGenericType(plain))!;
        return new Converting();
    }

    private sealed class InPlace : ArgumentReader<V>
    {
        public override ReadOnlySpan<V> Read(ColumnVector vector, int rows, ulong* live) => new(vector.Data, rows);
    }

    private sealed class Converting : ArgumentReader<V>
    {
        private readonly V[] _values = new V[ColumnBatch.MaxRows];
        private Func<ColumnVector, int, V>? _read;
        private DataType? _type;

        public override ReadOnlySpan<V> Read(ColumnVector vector, int rows, ulong* live)
        {
            if (_type != vector.Type) (_read, _type) = (ValueReader.Of<V>(vector.Type), vector.Type);
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                {
                    var row = (word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits);
                    _values[row] = vector.IsNull(row) ? default! : _read!(vector, row);
                }
            }
            return _values.AsSpan(0, rows);
        }
    }
}

internal sealed unsafe class NullableReader<V> : ArgumentReader<V?> where V : struct
{
    private readonly ArgumentReader<V> _reader = ArgumentReader<V>.Make();
    private readonly V?[] _values = new V?[ColumnBatch.MaxRows];

    public override ReadOnlySpan<V?> Read(ColumnVector vector, int rows, ulong* live)
    {
        var values = _reader.Read(vector, rows, live);
        for (var row = 0; row < rows; row++) _values[row] = vector.IsNull(row) ? null : values[row];
        return _values.AsSpan(0, rows);
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
