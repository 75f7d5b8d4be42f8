using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Which type two types have in common, as Spark has it with ANSI mode on: integers widen, decimals keep their whole digits, a float beside an integer or
/// a decimal becomes a double, text becomes what stands beside it.
/// </summary>
internal static class TypeCoercion
{
    /// <summary>The type that values of both become; null if there is none.</summary>
    public static DataType? Common(DataType left, DataType right)
    {
        if (left == right) return left;
        if (left.Kind == TypeKind.Null) return right;
        if (right.Kind == TypeKind.Null) return left;
        if (left.IsNumber && right.IsNumber) return CommonNumber(left, right);
        if (left.Kind == TypeKind.String) return BesideText(right);
        if (right.Kind == TypeKind.String) return BesideText(left);
        return (left, right) switch
        {
            _ when IsMoment(left) && IsMoment(right) => left.Kind == TypeKind.Timestamp || right.Kind == TypeKind.Timestamp ? DataType.Timestamp : DataType.TimestampNtz,
            (ArrayType a, ArrayType b) => Common(a.Element, b.Element) is { } element ? new ArrayType(element, a.ContainsNull || b.ContainsNull) : null,
            (MapType a, MapType b) => Common(a.Key, b.Key) is { } key && Common(a.Value, b.Value) is { } value ? new MapType(key, value, a.ContainsNull || b.ContainsNull) : null,
            (StructType a, StructType b) when a.Fields.Count == b.Fields.Count => CommonStruct(a, b),
            _ => null,
        };
    }

    /// <summary>The type that values of all become; <see cref="DataType.Null"/> of nothing but NULLs; null if there is none.</summary>
    public static DataType? Common(IEnumerable<DataType> types)
    {
        var common = DataType.Null;
        foreach (var type in types)
        {
            if (Common(common, type) is not { } wider) return null;
            common = wider;
        }
        return common;
    }

    /// <summary>The decimal type that holds all values of an integer type.</summary>
    public static DecimalType DecimalOf(DataType integer) => integer.Kind switch
    {
        TypeKind.TinyInt => DataType.Decimal(3, 0),
        TypeKind.SmallInt => DataType.Decimal(5, 0),
        TypeKind.Int => DataType.Decimal(10, 0),
        _ => DataType.Decimal(20, 0),
    };

    /// <summary>The decimal type that holds the values of both; where 38 digits are too few, digits behind the point go first.</summary>
    public static DecimalType Wider(DecimalType left, DecimalType right)
    {
        var whole = Math.Max(left.Precision - left.Scale, right.Precision - right.Scale);
        var scale = Math.Max(left.Scale, right.Scale);
        if (whole + scale > DecimalType.MaxPrecision) scale = DecimalType.MaxPrecision - whole;
        return DataType.Decimal(whole + scale, scale);
    }

    /// <summary>Whether CAST may be written between two types; whether a value fits is known only when it runs.</summary>
    public static bool CanCast(DataType from, DataType to)
    {
        if (from == to || from.Kind == TypeKind.Null) return true;
        if (to.Kind == TypeKind.String) return true;
        return from.Kind switch
        {
            TypeKind.String => to.Kind is not (TypeKind.Array or TypeKind.Map or TypeKind.Struct or TypeKind.Vector),
            TypeKind.Boolean => to.IsNumber,
            TypeKind.Date => IsMoment(to),
            TypeKind.Timestamp => IsMoment(to) || to.IsNumber,
            TypeKind.TimestampNtz => IsMoment(to),
            TypeKind.YearMonthInterval or TypeKind.DayTimeInterval => to.IsInteger || to.Kind == TypeKind.Decimal,
            TypeKind.Array => to is ArrayType array && CanCast(((ArrayType)from).Element, array.Element),
            TypeKind.Map => to is MapType map && CanCast(((MapType)from).Key, map.Key) && CanCast(((MapType)from).Value, map.Value),
            TypeKind.Struct => to is StructType fields && fields.Fields.Count == ((StructType)from).Fields.Count
                && fields.Fields.Zip(((StructType)from).Fields).All(pair => CanCast(pair.Second.Type, pair.First.Type)),
            _ when from.IsNumber => to.IsNumber || to.Kind is TypeKind.Boolean or TypeKind.Timestamp
                || (from.IsInteger && to.Kind is TypeKind.Binary or TypeKind.YearMonthInterval or TypeKind.DayTimeInterval)
                || (from.Kind == TypeKind.Decimal && to.Kind is TypeKind.YearMonthInterval or TypeKind.DayTimeInterval),
            _ => false,
        };
    }

    /// <summary>Whether values can be compared for order: not maps.</summary>
    public static bool IsOrdered(DataType type) => type switch
    {
        MapType or VectorType => false,
        ArrayType array => IsOrdered(array.Element),
        StructType fields => fields.Fields.All(field => IsOrdered(field.Type)),
        _ => true,
    };

    private static bool IsMoment(DataType type) => type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;

    private static DataType CommonNumber(DataType left, DataType right)
    {
        if (left is DecimalType a && right is DecimalType b) return Wider(a, b);
        if (left.Kind == TypeKind.Double || right.Kind == TypeKind.Double) return DataType.Double;
        // A float has fewer digits than an int: both become doubles.
        if (left.Kind == TypeKind.Float || right.Kind == TypeKind.Float) return DataType.Double;
        if (left is DecimalType exact) return Wider(exact, DecimalOf(right));
        if (right is DecimalType other) return Wider(DecimalOf(left), other);
        return left.Kind > right.Kind ? left : right;
    }

    private static DataType? BesideText(DataType other) => other.Kind switch
    {
        _ when other.IsInteger => DataType.BigInt,
        _ when other.IsNumber => DataType.Double,
        TypeKind.Boolean or TypeKind.Binary or TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz => other,
        TypeKind.YearMonthInterval or TypeKind.DayTimeInterval => other,
        _ => null,
    };

    private static StructType? CommonStruct(StructType left, StructType right)
    {
        var fields = new Field[left.Fields.Count];
        for (var i = 0; i < fields.Length; i++)
        {
            if (Common(left.Fields[i].Type, right.Fields[i].Type) is not { } type) return null;
            fields[i] = new Field(left.Fields[i].Name, type, left.Fields[i].Nullable || right.Fields[i].Nullable);
        }
        return new StructType([.. fields]);
    }
}
