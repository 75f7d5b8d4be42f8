using System.Collections;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Analysis;

/// <summary>Values for the parameters of a text: for <c>?</c> by place, for <c>:name</c> by name. They become literals, never text.</summary>
internal sealed class Parameters
{
    private readonly IReadOnlyList<object?> _values;
    private readonly IReadOnlyDictionary<string, object?> _named;

    private Parameters(IReadOnlyList<object?> values, IReadOnlyDictionary<string, object?> named)
    {
        _values = values;
        _named = named;
    }

    /// <summary>No parameters.</summary>
    public static Parameters None { get; } = Of();

    /// <summary>Values of <c>?</c>, in the order of the text.</summary>
    public static Parameters Of(params IReadOnlyList<object?> values) => new(values, new Dictionary<string, object?>());

    /// <summary>Values of <c>:name</c>.</summary>
    public static Parameters Of(IReadOnlyDictionary<string, object?> named) =>
        new([], new Dictionary<string, object?>(named, StringComparer.OrdinalIgnoreCase));

    /// <summary>The value of a parameter.</summary>
    /// <param name="name">Its name; null for <c>?</c>.</param>
    /// <param name="index">Which <c>?</c>, from 0.</param>
    /// <param name="value">The value.</param>
    /// <returns>False if it has none.</returns>
    public bool TryFind(string? name, int index, out object? value)
    {
        if (name is not null) return _named.TryGetValue(name, out value);
        value = index < _values.Count ? _values[index] : null;
        return index < _values.Count;
    }

    /// <summary>A value of the program as a literal; null if there is no SQL type for it.</summary>
    public static Literal? ToLiteral(object? value) => value switch
    {
        null or DBNull => Literal.NullOf(DataType.Null),
        Literal literal => literal,
        bool flag => new Literal(flag, DataType.Boolean),
        sbyte number => new Literal(number, DataType.TinyInt),
        byte number => new Literal((short)number, DataType.SmallInt),
        short number => new Literal(number, DataType.SmallInt),
        ushort number => new Literal((int)number, DataType.Int),
        int number => new Literal(number, DataType.Int),
        uint number => new Literal((long)number, DataType.BigInt),
        long number => new Literal(number, DataType.BigInt),
        ulong number => new Literal((Int128)number, DataType.Decimal(20, 0)),
        float number => new Literal(number, DataType.Float),
        double number => new Literal(number, DataType.Double),
        decimal number => Decimal(number),
        string text => new Literal(text, DataType.String),
        char character => new Literal(character.ToString(), DataType.String),
        Guid id => new Literal(id.ToString(), DataType.String),
        byte[] bytes => new Literal(bytes, DataType.Binary),
        DateOnly day => new Literal(day.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber, DataType.Date),
        DateTimeOffset moment => new Literal(Micros(moment.UtcDateTime), DataType.Timestamp),
        DateTime { Kind: DateTimeKind.Unspecified } moment => new Literal(Micros(moment), DataType.TimestampNtz),
        DateTime moment => new Literal(Micros(moment.ToUniversalTime()), DataType.Timestamp),
        TimeSpan span => new Literal(span.Ticks / TimeSpan.TicksPerMicrosecond, DataType.DayTimeInterval),
        Enum constant => new Literal(constant.ToString(), DataType.String),
        _ => null,
    };

    /// <summary>The elements of a list that stands for several values: <c>IN (?)</c>; null if it is no list.</summary>
    public static IReadOnlyList<object?>? Elements(object? value) => value is IEnumerable list and not string and not byte[] ? [.. list.Cast<object?>()] : null;

    private static long Micros(DateTime moment)
    {
        var ticks = moment.Ticks - DateTime.UnixEpoch.Ticks;
        return (ticks - (((ticks % TimeSpan.TicksPerMicrosecond) + TimeSpan.TicksPerMicrosecond) % TimeSpan.TicksPerMicrosecond)) / TimeSpan.TicksPerMicrosecond;
    }

    private static Literal Decimal(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var unscaled = (Int128)(((UInt128)(uint)bits[2] << 64) | ((UInt128)(uint)bits[1] << 32) | (uint)bits[0]);
        var scale = (bits[3] >> 16) & 0xFF;
        if (bits[3] < 0) unscaled = -unscaled;
        var digits = unscaled == 0 ? 1 : Int128.Abs(unscaled).ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        return new Literal(unscaled, DataType.Decimal(Math.Max(digits, Math.Max(scale, 1)), scale));
    }
}
