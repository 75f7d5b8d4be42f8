using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Tests.Parquet;

/// <summary>Random rows of every type that can be written, as batches: flat, constant and dictionary vectors, with nulls and masks.</summary>
internal sealed unsafe class RandomBatches(TaskArena arena, Random random)
{
    private readonly TextHeap _heap = new(arena);

    /// <summary>A schema with a nullable and a required column of each type.</summary>
    public static Schema Schema { get; } = new(Types().SelectMany((type, i) => new[] { new Field($"n{i}", type), new Field($"r{i}", type, type.Kind == TypeKind.Null) }).ToArray());

    /// <summary>The rows that were given, as text.</summary>
    public List<string?[]> Rows { get; } = [];

    /// <summary>Gives a batch.</summary>
    public ColumnBatch Next(int rows)
    {
        _heap.Clear();
        var batch = new ColumnBatch([.. Schema.Select(field => Vector(field, rows))]);
        var mask = (ulong*)arena.Rent((rows / 8) + 16).Pointer;
        var isMasked = random.Next(2) == 0;
        Fill(mask, rows, isMasked ? 0.7 : 1);
        batch.Set(rows, mask);
        foreach (var row in batch.Selection) Rows.Add(Array.ConvertAll(batch.Columns, column => column.Type.Kind == TypeKind.Null ? null : TableRows.Text(column, row)));
        return batch;
    }

    private static DataType[] Types() =>
    [
        DataType.Boolean, DataType.TinyInt, DataType.SmallInt, DataType.Int, DataType.BigInt, DataType.Float, DataType.Double, DataType.Decimal(7, 2), DataType.Decimal(15, 2),
        DataType.Decimal(18, 0), DataType.Decimal(25, 3), DataType.Decimal(38, 10), DataType.String, DataType.Binary, DataType.Date, DataType.Timestamp, DataType.TimestampNtz, DataType.Null,
    ];

    private ColumnVector Vector(Field field, int rows)
    {
        var vector = new ColumnVector(field.Type) { Length = rows };
        if (field.Type.Kind == TypeKind.Null)
        {
            vector.Form = VectorForm.Constant;
            vector.Data = arena.Rent(64).Pointer;
            vector.Validity = (ulong*)vector.Data;
            *vector.Validity = 0;
            return vector;
        }
        var few = random.Next(3);
        var form = random.Next(10);
        if (form == 0)
        {
            vector.Form = VectorForm.Constant;
            vector.Data = Values(field.Type, 1, few);
            return vector;
        }
        if (field.Nullable && random.Next(3) > 0)
        {
            vector.Validity = (ulong*)arena.Rent((rows / 8) + 16).Pointer;
            Fill(vector.Validity, rows, random.Next(4) / 3.0);
        }
        if (form < 4 && field.Type.Physical != PhysicalType.Bit)
        {
            var count = random.Next(1, 30);
            vector.Form = VectorForm.Dictionary;
            vector.Dictionary = new ColumnDictionary(new ColumnVector(field.Type) { Length = count, Data = Values(field.Type, count, 2) });
            vector.Codes = (uint*)arena.Rent(rows * 4).Pointer;
            for (var i = 0; i < rows; i++) vector.Codes[i] = (uint)random.Next(count);
            return vector;
        }
        vector.Data = Values(field.Type, rows, few);
        return vector;
    }

    private void Fill(ulong* bits, int rows, double share)
    {
        for (var i = 0; i <= rows >> 6; i++) bits[i] = 0;
        for (var i = 0; i < rows; i++)
        {
            if (random.NextDouble() < share) bits[i >> 6] |= 1UL << (i & 63);
        }
    }

    // few: 0 makes nearly all values differ, 1 some, 2 few.
    private byte* Values(DataType type, int count, int few)
    {
        var data = arena.Rent(Math.Max(64, count * Math.Max(1, type.ByteWidth))).Pointer;
        var limit = few switch { 0 => long.MaxValue, 1 => 1000, _ => 5 };
        for (var i = 0; i < count; i++)
        {
            var value = random.NextInt64(limit) - (random.Next(2) * (limit / 2));
            switch (type)
            {
                case DecimalType { Precision: var precision, Physical: PhysicalType.Int64 }:
                    ((long*)data)[i] = value % (long)Math.Pow(10, precision);
                    break;
                case DecimalType { Precision: var precision }:
                    ((Int128*)data)[i] = (Int128)value * (few == 0 ? (precision > 30 ? 1_000_000_000_000_000_000 : 100_000) : 1);
                    break;
                default:
                    Set(type, data, i, value);
                    break;
            }
        }
        return data;
    }

    private void Set(DataType type, byte* data, int i, long value)
    {
        switch (type.Physical)
        {
            case PhysicalType.Bit:
                if ((i & 7) == 0) data[i >> 3] = 0;
                data[i >> 3] |= (byte)((value & 1) << (i & 7));
                break;
            case PhysicalType.Int8: ((sbyte*)data)[i] = (sbyte)value; break;
            case PhysicalType.Int16: ((short*)data)[i] = (short)value; break;
            case PhysicalType.Int32: ((int*)data)[i] = type.Kind == TypeKind.Date ? (int)(value % 2_000_000) : (int)value; break;
            case PhysicalType.Int64: ((long*)data)[i] = type.Kind == TypeKind.BigInt ? value : value % 100_000_000_000_000_000; break;
            case PhysicalType.Float32: ((float*)data)[i] = value % 97 == 0 ? float.NaN : value / 3f; break;
            case PhysicalType.Float64: ((double*)data)[i] = value % 97 == 0 ? double.NegativeInfinity : value / 3.0; break;
            default:
                var text = type.Kind == TypeKind.String ? System.Text.Encoding.UTF8.GetBytes($"{(value % 3 == 0 ? "ü" : "")}{value}{new string('x', (int)(Math.Abs(value) % 20))}") : BitConverter.GetBytes(value)[..(int)(Math.Abs(value) % 8)];
                ((StringView*)data)[i] = _heap.Add(text);
                break;
        }
    }
}
