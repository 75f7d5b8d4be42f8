using System.Collections;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;

namespace Dataflow.Sql;

/// <summary>A row of a result.</summary>
/// <remarks>
/// Values are <see cref="bool"/>, <see cref="sbyte"/>, <see cref="short"/>, <see cref="int"/>, <see cref="long"/>, <see cref="float"/>, <see cref="double"/>,
/// <see cref="decimal"/> (<see cref="SqlDecimal"/> where it has more digits than that holds), <see cref="string"/>, byte[], <see cref="Vector"/>, <see cref="DateOnly"/>,
/// <see cref="DateTimeOffset"/> (timestamp, in UTC), <see cref="DateTime"/> (timestamp_ntz), <see cref="TimeSpan"/> (day-time interval), int (months), or null.
/// </remarks>
public sealed class Row : IReadOnlyList<object?>
{
    private readonly object?[] _values;

    private readonly Zone? _zone;

    internal Row(Schema schema, object?[] values, Zone? zone = null)
    {
        Schema = schema;
        _values = values;
        _zone = zone;
    }

    /// <summary>Its columns.</summary>
    public Schema Schema { get; }

    /// <inheritdoc/>
    public int Count => _values.Length;

    /// <summary>The value of a column.</summary>
    /// <param name="index">From 0.</param>
    public object? this[int index] => _values[index];

    /// <summary>The value of a column.</summary>
    /// <param name="name">Its name, without regard to case.</param>
    /// <exception cref="QueryException">There is no such column.</exception>
    public object? this[string name] => _values[IndexOf(name)];

    /// <summary>The value of a column as a type of .NET.</summary>
    /// <typeparam name="T">The type the value has, or its nullable form.</typeparam>
    /// <param name="name">Its name, without regard to case.</param>
    /// <exception cref="QueryException">There is no such column, or its value is of another type.</exception>
    public T Get<T>(string name)
    {
        var index = IndexOf(name);
        return _values[index] switch
        {
            T value => value,
            null when default(T) is null => default!,
            var other => throw new QueryException(
                "CAST_INVALID_INPUT", $"Column '{name}' is {Schema[index].Type} and holds {other ?? "NULL"}, which is no {typeof(T).Name}. Ask for the type it has, or cast it in the query."),
        };
    }

    /// <inheritdoc/>
    public IEnumerator<object?> GetEnumerator() => ((IEnumerable<object?>)_values).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>A value as tables show it: time stamps in the time zone of the session.</summary>
    /// <param name="index">From 0.</param>
    public string TextOf(int index) => ValueText.Of(_values[index], Schema[index].Type, _zone);

    /// <summary>As <c>[a, 1, NULL]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", _values.Select((_, i) => TextOf(i)))}]";

    private int IndexOf(string name)
    {
        var index = Schema.IndexOf(name);
        if (index < 0) throw new QueryException("UNRESOLVED_COLUMN", $"There is no column '{name}' in this row. There are: {string.Join(", ", Schema.Select(column => column.Name))}.");
        return index;
    }

    /// <summary>The rows of a batch.</summary>
    internal static IEnumerable<Row> Of(ColumnBatch batch, Schema schema, Zone? zone)
    {
        var rows = batch.Selection.ToArray();
        foreach (var row in rows)
        {
            var values = new object?[batch.Columns.Length];
            for (var i = 0; i < values.Length; i++) values[i] = ValueOf(batch.Columns[i], row);
            yield return new Row(schema, values, zone);
        }
    }

    internal static unsafe object? ValueOf(ColumnVector vector, int row)
    {
        if (vector.IsNull(row)) return null;
        return vector.Type.Kind switch
        {
            TypeKind.Boolean => vector.Bit(row),
            TypeKind.TinyInt => vector.Value<sbyte>(row),
            TypeKind.SmallInt => vector.Value<short>(row),
            TypeKind.Int or TypeKind.YearMonthInterval => vector.Value<int>(row),
            TypeKind.BigInt => vector.Value<long>(row),
            TypeKind.Float => vector.Value<float>(row),
            TypeKind.Double => vector.Value<double>(row),
            TypeKind.Decimal => SqlDecimal.ValueOf(
                vector.Type.Physical == PhysicalType.Int64 ? vector.Value<long>(row) : vector.Value<Int128>(row), ((DecimalType)vector.Type).Scale),
            TypeKind.String => StringView.TextOf((StringView*)vector.ValueAt(row)),
            TypeKind.Binary => StringView.BytesOf((StringView*)vector.ValueAt(row)).ToArray(),
            TypeKind.Vector => Vector.Decode(StringView.BytesOf((StringView*)vector.ValueAt(row))),
            TypeKind.Date => ClrTimes.Day(vector.Value<int>(row)),
            TypeKind.Timestamp => new DateTimeOffset(ClrTimes.Time(vector.Value<long>(row))),
            TypeKind.TimestampNtz => ClrTimes.Time(vector.Value<long>(row)),
            TypeKind.DayTimeInterval => ClrTimes.Span(vector.Value<long>(row)),
            _ => throw new QueryException("UNSUPPORTED_FEATURE", $"Values of {vector.Type} can't be shown yet: select their fields instead."),
        };
    }
}

/// <summary>An exact number of up to 38 digits: what <see cref="decimal"/> is too small for.</summary>
/// <param name="Unscaled">The digits.</param>
/// <param name="Scale">How many of them stand behind the point.</param>
public readonly record struct SqlDecimal(Int128 Unscaled, int Scale)
{
    /// <summary>The number as a <see cref="decimal"/> if that holds it exactly, with its scale; else as it is.</summary>
    internal static object ValueOf(Int128 unscaled, int scale)
    {
        var magnitude = unscaled < 0 ? -unscaled : unscaled;
        if (scale > 28 || magnitude >> 96 != 0) return new SqlDecimal(unscaled, scale);
        var (low, middle, high) = ((int)(uint)(ulong)magnitude, (int)(uint)(ulong)(magnitude >> 32), (int)(uint)(ulong)(magnitude >> 64));
        return new decimal(low, middle, high, unscaled < 0, (byte)scale);
    }

    /// <summary>The number with its point.</summary>
    public override string ToString() => LiteralText.Decimal(Unscaled, Scale);
}
