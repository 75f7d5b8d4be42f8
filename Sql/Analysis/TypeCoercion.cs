using Dataflow.Sql.Builtins;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Makes operands alike, as Spark does with ANSI mode on (<see cref="TypeRules"/>): casts are written out, so that functions and kernels see types that
/// go together. A literal becomes what stands beside it where its value allows, so that columns stay as they are and scans can use the condition.
/// </summary>
/// <param name="session">For time stamps that stand in the text.</param>
internal sealed class TypeCoercion(SessionSettings session)
{
    /// <summary>The type that values of all become; <see cref="DataType.Null"/> of nothing but NULLs; null if there is none.</summary>
    public static DataType? Common(IEnumerable<DataType> types)
    {
        var common = DataType.Null;
        foreach (var type in types)
        {
            if (TypeRules.Common(common, type) is not { } wider) return null;
            common = wider;
        }
        return common;
    }

    /// <summary>Whether values can be compared for order: not maps and vectors.</summary>
    public static bool IsOrdered(DataType type) => type switch
    {
        MapType or { Kind: TypeKind.Vector } => false,
        ArrayType array => IsOrdered(array.Element),
        StructType fields => fields.Fields.All(field => IsOrdered(field.Type)),
        _ => true,
    };

    /// <summary>An expression as a type.</summary>
    public Expression Convert(Expression expression, DataType type) => LiteralConversion.Cast(expression, type, session);

    /// <summary>Two expressions as one type, for a comparison; null if there is none.</summary>
    public (Expression Left, Expression Right)? Alike(Expression left, Expression right)
    {
        if (left.Type == right.Type) return (left, right);
        if (right is Literal second && left is not Literal && Beside(second, left.Type) is { } fitting) return (left, fitting);
        if (left is Literal first && right is not Literal && Beside(first, right.Type) is { } other) return (other, right);
        return TypeRules.Common(left, right) is { } common ? (Convert(left, common), Convert(right, common)) : null;
    }

    /// <summary>A literal as the type it is compared with, if it has a value there. Not as a float, in which 0.1 is another number.</summary>
    public Literal? Beside(Literal literal, DataType type) =>
        type.Kind == TypeKind.Float && literal.Value is not null ? null : LiteralConversion.TryConvert(literal, type, session);

    /// <summary>Two operands of an arithmetic operator on numbers; null if they are none.</summary>
    /// <param name="name">The operator: / makes doubles of integers, div bigints.</param>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand.</param>
    public (Expression Left, Expression Right)? Numbers(string name, Expression left, Expression right)
    {
        if (left.Type.Kind == TypeKind.String) left = Convert(left, right.Type.IsInteger ? DataType.BigInt : DataType.Double);
        if (right.Type.Kind == TypeKind.String) right = Convert(right, left.Type.IsInteger ? DataType.BigInt : DataType.Double);
        if (left.Type.Kind == TypeKind.Null) left = Convert(left, right.Type.Kind == TypeKind.Null ? DataType.Int : right.Type);
        if (right.Type.Kind == TypeKind.Null) right = Convert(right, left.Type);
        if (!left.Type.IsNumber || !right.Type.IsNumber) return null;
        if (left.Type.Kind == TypeKind.Decimal || right.Type.Kind == TypeKind.Decimal)
        {
            // Decimals keep their own precision: the function works out the result's from both.
            return AsDecimal(left) is { } a && AsDecimal(right) is { } b
                ? (Convert(left, a), Convert(right, b))
                : (Convert(left, DataType.Double), Convert(right, DataType.Double));
        }
        var type = TypeRules.Common(left.Type, right.Type)!;
        if (name == "/") type = DataType.Double;
        else if (name == "div" && type.IsInteger) type = DataType.BigInt;
        return (Convert(left, type), Convert(right, type));
    }

    private static DecimalType? AsDecimal(Expression number) => number.Type as DecimalType ?? (number.Type.IsInteger ? TypeRules.AsDecimal(number) : null);
}
