using System.Buffers.Binary;
using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Caching;

/// <summary>Values of all types as numbers in the same order: integers, days, times and decimals as they are, floating point by its bits, text by its first
/// bytes, so that different texts may have one key.</summary>
internal static unsafe class ZoneKey
{
    private const int TextBytes = 15;

    /// <summary>Whether values of a type have keys.</summary>
    public static bool Has(PhysicalType physical) => physical is >= PhysicalType.Int8 and <= PhysicalType.View;

    /// <summary>Whether keys are the values themselves.</summary>
    public static bool IsValue(PhysicalType physical) => physical is >= PhysicalType.Int8 and <= PhysicalType.Int128;

    public static Int128 Of(double value)
    {
        if (double.IsNaN(value)) return long.MaxValue;
        if (value == 0) return 0;
        var bits = BitConverter.DoubleToInt64Bits(value);
        return bits >= 0 ? bits : -(Int128)(bits & long.MaxValue);
    }

    public static Int128 Of(ReadOnlySpan<byte> text, byte filler = 0)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (filler != 0) bytes.Fill(filler);
        bytes[0] = 0;
        text[..Math.Min(text.Length, TextBytes)].CopyTo(bytes[1..]);
        return BinaryPrimitives.ReadInt128BigEndian(bytes);
    }

    public static Int128 Of(StringView* view) => Of(StringView.BytesOf(view));

    /// <summary>The key of a literal; null if it has none.</summary>
    public static Int128? Of(Literal literal) => literal.Value switch
    {
        sbyte value => value,
        short value => value,
        int value => value,
        long value => value,
        Int128 value => value,
        float value => Of((double)value),
        double value => Of(value),
        string value => Of(Encoding.UTF8.GetBytes(value)),
        byte[] value => Of(value.AsSpan()),
        _ => null,
    };
}

/// <summary>A filter of a scan, as zones answer it.</summary>
internal sealed class ZoneFilter
{
    private readonly ScanOperator _operator;
    private readonly Int128[] _keys;
    private readonly Int128 _prefixEnd;
    private readonly bool _isText;

    private ZoneFilter(ScanFilter filter, int column, Int128[] keys, Int128 prefixEnd, bool isText)
    {
        Column = column;
        _operator = filter.Operator;
        _keys = keys;
        _prefixEnd = prefixEnd;
        _isText = isText;
    }

    /// <summary>The column of blocks that it is about.</summary>
    public int Column { get; }

    /// <summary>A filter, if zones can say anything about it.</summary>
    public static ZoneFilter? Of(ScanFilter filter, DataType type)
    {
        if (filter.Operator is ScanOperator.IsNull or ScanOperator.IsNotNull) return new ZoneFilter(filter, filter.Field, [], 0, false);
        var keys = new Int128[filter.Values.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            if (!ZoneKey.Has(type.Physical) || ZoneKey.Of(filter.Values[i]) is not { } key) return null;
            keys[i] = key;
        }
        if (keys.Length == 0) return null;
        var end = filter.Operator != ScanOperator.StartsWith ? 0 : filter.Values[0].Value switch
        {
            string text => ZoneKey.Of(Encoding.UTF8.GetBytes(text), byte.MaxValue),
            byte[] bytes => ZoneKey.Of(bytes.AsSpan(), byte.MaxValue),
            _ => Int128.MaxValue,
        };
        return new ZoneFilter(filter, filter.Field, keys, end, type.Physical == PhysicalType.View);
    }

    /// <summary>Whether no row of a zone can be wanted.</summary>
    public bool Rejects(in CacheZone zone, int rows)
    {
        if (_operator == ScanOperator.IsNull) return zone.Nulls == 0;

        // All others are not true for null.
        if (zone.Nulls == rows) return true;
        if (_operator == ScanOperator.IsNotNull || zone.IsKnown == 0) return false;
        var (min, max) = (zone.Min, zone.Max);
        return _operator switch
        {
            ScanOperator.Equal or ScanOperator.In => IsOutside(min, max),
            ScanOperator.Less => _isText ? min > _keys[0] : min >= _keys[0],
            ScanOperator.LessOrEqual => min > _keys[0],
            ScanOperator.Greater => _isText ? max < _keys[0] : max <= _keys[0],
            ScanOperator.GreaterOrEqual => max < _keys[0],
            ScanOperator.StartsWith => max < _keys[0] || min > _prefixEnd,
            _ => false,
        };
    }

    private bool IsOutside(Int128 min, Int128 max)
    {
        foreach (var key in _keys)
        {
            if (key >= min && key <= max) return false;
        }
        return true;
    }
}
