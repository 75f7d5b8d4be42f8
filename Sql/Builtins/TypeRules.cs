using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Builtins;

/// <summary>Which type two others become when they meet, and which precision decimals have after arithmetic: Spark's rules with ANSI mode on.</summary>
public static class TypeRules
{
    /// <summary>The type that holds the values of both; null if there is none. For comparisons, CASE, IN, UNION, coalesce.</summary>
    public static DataType? Common(DataType left, DataType right)
    {
        if (left == right) return left;
        if (left.Kind == TypeKind.Null) return right;
        if (right.Kind == TypeKind.Null) return left;
        if (left.IsNumber && right.IsNumber) return CommonNumber(left, right);
        if (left.Kind == TypeKind.String) return WithString(right);
        if (right.Kind == TypeKind.String) return WithString(left);
        if (IsTime(left) && IsTime(right))
            return left.Kind == TypeKind.Timestamp || right.Kind == TypeKind.Timestamp ? DataType.Timestamp : DataType.TimestampNtz;
        return null;
    }

    /// <summary>The same for expressions: an integer literal beside a decimal has only the digits it is written with.</summary>
    public static DataType? Common(Expression left, Expression right)
    {
        var (leftType, rightType) = (left.Type, right.Type);
        if (leftType.Kind == TypeKind.Decimal && rightType.IsInteger) rightType = AsDecimal(right);
        else if (rightType.Kind == TypeKind.Decimal && leftType.IsInteger) leftType = AsDecimal(left);
        return Common(leftType, rightType);
    }

    /// <summary>The common type of many; null if there is none.</summary>
    public static DataType? Common(IEnumerable<Expression> expressions)
    {
        DataType? common = null;
        foreach (var expression in expressions)
        {
            var type = common is DecimalType && expression.Type.IsInteger ? AsDecimal(expression) : expression.Type;
            common = common is null ? type : Common(common, type);
            if (common is null) return null;
        }
        return common;
    }

    /// <summary>The decimal type that holds an integer expression; a literal takes only its own digits.</summary>
    public static DecimalType AsDecimal(Expression integer)
    {
        if (integer is Literal { Value: not null } literal)
        {
            var text = Int128.Abs(Int128.CreateChecked(Convert.ToInt64(literal.Value, System.Globalization.CultureInfo.InvariantCulture)));
            return DataType.Decimal(text.ToString(System.Globalization.CultureInfo.InvariantCulture).Length, 0);
        }
        return AsDecimal(integer.Type);
    }

    /// <summary>The decimal type that holds all values of an integer type.</summary>
    public static DecimalType AsDecimal(DataType type) => type switch
    {
        DecimalType same => same,
        { Kind: TypeKind.TinyInt } => DataType.Decimal(3, 0),
        { Kind: TypeKind.SmallInt } => DataType.Decimal(5, 0),
        { Kind: TypeKind.Int } => DataType.Decimal(10, 0),
        _ => DataType.Decimal(20, 0),
    };

    /// <summary>The type of a sum or difference of decimals.</summary>
    public static DecimalType Sum(DecimalType left, DecimalType right)
    {
        var scale = Math.Max(left.Scale, right.Scale);
        return Adjust(Math.Max(left.Precision - left.Scale, right.Precision - right.Scale) + scale + 1, scale);
    }

    /// <summary>The type of a product of decimals.</summary>
    public static DecimalType Product(DecimalType left, DecimalType right) => Adjust(left.Precision + right.Precision + 1, left.Scale + right.Scale);

    /// <summary>The type of a quotient of decimals.</summary>
    public static DecimalType Quotient(DecimalType left, DecimalType right)
    {
        var scale = Math.Max(6, left.Scale + right.Precision + 1);
        return Adjust(left.Precision - left.Scale + right.Scale + scale, scale);
    }

    /// <summary>The type of a remainder of decimals.</summary>
    public static DecimalType Remainder(DecimalType left, DecimalType right)
    {
        var scale = Math.Max(left.Scale, right.Scale);
        return Adjust(Math.Min(left.Precision - left.Scale, right.Precision - right.Scale) + scale, scale);
    }

    /// <summary>A type with at most 38 digits: digits before the point are kept, and at least six (or all) behind it.</summary>
    public static DecimalType Adjust(int precision, int scale)
    {
        if (precision <= DecimalType.MaxPrecision) return DataType.Decimal(precision, scale);
        var whole = precision - scale;
        return DataType.Decimal(DecimalType.MaxPrecision, Math.Max(DecimalType.MaxPrecision - whole, Math.Min(scale, 6)));
    }

    /// <summary>A type with at most 38 digits, digits behind the point cut off with the rest.</summary>
    public static DecimalType Bounded(int precision, int scale) =>
        DataType.Decimal(Math.Min(precision, DecimalType.MaxPrecision), Math.Min(scale, DecimalType.MaxPrecision));

    private static DataType CommonNumber(DataType left, DataType right)
    {
        if (left.Kind is TypeKind.Float or TypeKind.Double || right.Kind is TypeKind.Float or TypeKind.Double)
            return left.Kind == TypeKind.Float && right.Kind == TypeKind.Float ? DataType.Float : DataType.Double;
        if (left.Kind != TypeKind.Decimal && right.Kind != TypeKind.Decimal) return left.Kind > right.Kind ? left : right;
        var (l, r) = (AsDecimal(left), AsDecimal(right));
        var whole = Math.Max(l.Precision - l.Scale, r.Precision - r.Scale);
        var scale = Math.Max(l.Scale, r.Scale);
        return whole + scale <= DecimalType.MaxPrecision
            ? DataType.Decimal(whole + scale, scale)
            : DataType.Decimal(DecimalType.MaxPrecision, Math.Max(0, DecimalType.MaxPrecision - whole));
    }

    // Text is read as what it meets.
    private static DataType? WithString(DataType other) => other.Kind switch
    {
        TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int or TypeKind.BigInt => DataType.BigInt,
        TypeKind.Float or TypeKind.Double or TypeKind.Decimal => DataType.Double,
        TypeKind.Boolean or TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz or TypeKind.Binary => other,
        TypeKind.YearMonthInterval or TypeKind.DayTimeInterval => other,
        _ => null,
    };

    private static bool IsTime(DataType type) => type.Kind is TypeKind.Date or TypeKind.Timestamp or TypeKind.TimestampNtz;
}
