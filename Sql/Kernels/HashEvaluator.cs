using System.Numerics;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Kernels;

/// <summary>Spark's hash of some values, column by column: the hash of one is the seed of the next, and a null leaves it as it is.</summary>
internal sealed unsafe class HashEvaluator(bool isLong, Evaluator[] arguments, EvaluatorContext context) : Evaluator
{
    private const int Seed = 42;
    private readonly FlatVector _result = new(context.Arena, isLong ? DataType.BigInt : DataType.Int);

    public override ColumnVector Evaluate(ColumnBatch batch)
    {
        var rows = batch.Rows;
        if (isLong) new Span<long>(_result.Data, rows).Fill(Seed);
        else new Span<int>(_result.Data, rows).Fill(Seed);
        foreach (var argument in arguments)
        {
            var vector = argument.Evaluate(batch);
            for (var word = 0; word < Bits.Words(rows); word++)
            {
                for (var live = Bits.Word(batch.Mask, word, rows); live != 0; live &= live - 1) Add(vector, (word << 6) + BitOperations.TrailingZeroCount(live));
            }
        }
        return _result.Set(rows, false);
    }

    private void Add(ColumnVector vector, int row)
    {
        if (vector.IsNull(row)) return;
        switch (vector.Type.Physical)
        {
            case PhysicalType.Bit:
                Add(row, (vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Bit((int)vector.Codes[row]) : vector.Bit(row)) ? 1 : 0);
                break;
            case PhysicalType.Int8: Add(row, vector.Value<sbyte>(row)); break;
            case PhysicalType.Int16: Add(row, vector.Value<short>(row)); break;
            case PhysicalType.Int32: Add(row, vector.Value<int>(row)); break;
            case PhysicalType.Int64: Add(row, vector.Value<long>(row)); break;
            case PhysicalType.Float32:
                var single = vector.Value<float>(row);
                Add(row, single == 0 ? 0 : BitConverter.SingleToInt32Bits(float.IsNaN(single) ? BitConverter.UInt32BitsToSingle(0x7FC00000) : single));
                break;
            case PhysicalType.Float64:
                var number = vector.Value<double>(row);
                Add(row, number == 0 ? 0L : BitConverter.DoubleToInt64Bits(double.IsNaN(number) ? BitConverter.UInt64BitsToDouble(0x7FF8000000000000) : number));
                break;
            case PhysicalType.Int128: Add(row, ((BigInteger)vector.Value<Int128>(row)).ToByteArray(isBigEndian: true)); break;
            case PhysicalType.View: Add(row, StringView.BytesOf((StringView*)vector.ValueAt(row))); break;
            default: throw new InvalidOperationException($"Values of type {vector.Type} can't be hashed. Please report this.");
        }
    }

    private void Add(int row, int value)
    {
        if (isLong) ((long*)_result.Data)[row] = SparkHash.Xx(value, ((long*)_result.Data)[row]);
        else ((int*)_result.Data)[row] = SparkHash.Murmur(value, ((int*)_result.Data)[row]);
    }

    private void Add(int row, long value)
    {
        if (isLong) ((long*)_result.Data)[row] = SparkHash.Xx(value, ((long*)_result.Data)[row]);
        else ((int*)_result.Data)[row] = SparkHash.Murmur(value, ((int*)_result.Data)[row]);
    }

    private void Add(int row, ReadOnlySpan<byte> value)
    {
        if (isLong) ((long*)_result.Data)[row] = SparkHash.Xx(value, ((long*)_result.Data)[row]);
        else ((int*)_result.Data)[row] = SparkHash.Murmur(value, ((int*)_result.Data)[row]);
    }
}
