using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Parquet;

/// <summary>Columns whose value is the same for all rows of a file: what folders name, and null where a file lacks a column.</summary>
internal static unsafe class ConstantColumn
{
    /// <summary>A vector of the value.</summary>
    /// <param name="arena">Whose memory it takes.</param>
    /// <param name="value">An int, bigint, double, date or text; or null, of any type.</param>
    public static ColumnVector Vector(TaskArena arena, Literal value)
    {
        var text = value.Value is string written ? Encoding.UTF8.GetBytes(written) : [];
        var buffer = arena.Rent(64 + text.Length);
        buffer.Span.Clear();
        var vector = new ColumnVector(value.Type) { Form = VectorForm.Constant, Data = buffer.Pointer };
        switch (value.Value)
        {
            case null:
                vector.Validity = (ulong*)buffer.Pointer;
                break;
            case int number:
                *(int*)buffer.Pointer = number;
                break;
            case long number:
                *(long*)buffer.Pointer = number;
                break;
            case double number:
                *(double*)buffer.Pointer = number;
                break;
            case string:
                text.CopyTo(buffer.Span[64..]);
                *(StringView*)buffer.Pointer = StringView.Of(buffer.Pointer + 64, text.Length);
                break;
            default:
                throw new InvalidOperationException($"A column of a file has the constant {value}, which has no form. Please report this.");
        }
        vector.Bounds = BoundsOf(value);
        return vector;
    }

    /// <summary>The bounds of an integer or a date; null for other values.</summary>
    public static ValueBounds? BoundsOf(Literal value) => value.Value switch
    {
        int number => new ValueBounds(number, number),
        long number => new ValueBounds(number, number),
        _ => null,
    };

    /// <summary>Whether a filter is not true for the value.</summary>
    public static bool Rejects(ScanFilter filter, Literal value)
    {
        if (filter.Operator == ScanOperator.IsNull) return value.Value is not null;
        if (value.Value is null) return true;
        if (filter.Operator == ScanOperator.IsNotNull) return false;
        if (filter.Operator == ScanOperator.StartsWith) return value.Value is string text && filter.Values[0].Value is string start && !text.StartsWith(start, StringComparison.Ordinal);
        foreach (var literal in filter.Values)
        {
            if (Compare(value.Value, literal.Value) is not { } order) return false;
            var isTrue = filter.Operator switch
            {
                ScanOperator.Equal or ScanOperator.In => order == 0,
                ScanOperator.Less => order < 0,
                ScanOperator.LessOrEqual => order <= 0,
                ScanOperator.Greater => order > 0,
                ScanOperator.GreaterOrEqual => order >= 0,
                _ => true,
            };
            if (isTrue) return false;
        }
        return true;
    }

    // Null where the two can't be compared.
    private static int? Compare(object left, object? right) => (left, right) switch
    {
        (int mine, int theirs) => mine.CompareTo(theirs),
        (long mine, long theirs) => mine.CompareTo(theirs),
        (double mine, double theirs) => mine.CompareTo(theirs),
        (string mine, string theirs) => Encoding.UTF8.GetBytes(mine).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(theirs)),
        _ => null,
    };
}
