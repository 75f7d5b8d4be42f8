using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using Dataflow.Sql.Analysis;
using Dataflow.Sql.Columns;

namespace Dataflow.Sql.Records;

/// <summary>
/// Makes objects of the program from batches: compiled once for a type and a schema. Columns go to parameters of the constructor and to properties that
/// can be set, by name without regard to case; to the parts of a tuple by position; to a plain value if there is one column.
/// </summary>
/// <typeparam name="T">What is made.</typeparam>
internal sealed class RecordMapper<T>
{
    private static readonly ConcurrentDictionary<Schema, RecordMapper<T>> Known = new();

    private readonly Func<ColumnVector[], int, T> _make;

    private RecordMapper(Func<ColumnVector[], int, T> make) => _make = make;

    /// <summary>The mapper of a schema.</summary>
    /// <exception cref="QueryException">The type can't be made of such rows; says which column or member does not fit.</exception>
    public static RecordMapper<T> For(Schema schema) => Known.TryGetValue(schema, out var known) ? known : Known.GetOrAdd(schema, Compile(schema));

    /// <summary>One row.</summary>
    /// <param name="columns">Vectors of the schema.</param>
    /// <param name="row">Which row.</param>
    /// <exception cref="QueryException">A null has no place in its member.</exception>
    public T At(ColumnVector[] columns, int row) => _make(columns, row);

    /// <summary>The rows of a batch that count.</summary>
    /// <exception cref="QueryException">A null has no place in its member.</exception>
    public T[] Map(ColumnBatch batch)
    {
        var selection = batch.Selection;
        var records = new T[selection.Length];
        for (var i = 0; i < records.Length; i++) records[i] = _make(batch.Columns, selection[i]);
        return records;
    }

    // One value, and no record that columns could fill by name.
    private static bool IsPlain => (Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)) is var type
        && (type.IsPrimitive || type.IsEnum || type.IsArray || type == typeof(string) || type == typeof(decimal) || type == typeof(Guid)
            || type == typeof(DateOnly) || type == typeof(DateTime) || type == typeof(DateTimeOffset) || type == typeof(TimeSpan));

    private static RecordMapper<T> Compile(Schema schema)
    {
        var vectors = Expression.Parameter(typeof(ColumnVector[]), "vectors");
        var row = Expression.Parameter(typeof(int), "row");
        return new RecordMapper<T>(Expression.Lambda<Func<ColumnVector[], int, T>>(Body(), vectors, row).Compile());

        Expression Body()
        {
            if (schema.Count == 1 && ColumnReaders.Fits(schema[0].Type, typeof(T))) return Read(0, typeof(T), "the value", null);
            if (IsPlain)
            {
                throw new QueryException("DATATYPE_MISMATCH", schema.Count == 1
                    ? $"Column '{schema[0].Name}' is {schema[0].Type}, which can't become {ColumnReaders.NameOf(typeof(T))}. Use {ColumnReaders.BestFor(schema[0].Type)}, or cast the column."
                    : $"The rows have {schema.Count} columns ({Suggest.Some([.. schema.Select(field => field.Name)])}), and {ColumnReaders.NameOf(typeof(T))} is one value. "
                        + "Name one column, or use a record or tuple with a place for each.");
            }
            if (typeof(T).IsAssignableTo(typeof(System.Runtime.CompilerServices.ITuple)) && typeof(T).IsValueType && typeof(T).IsGenericType) return Tuple();
            return Record();
        }

        Expression Tuple()
        {
            var parts = typeof(T).GetGenericArguments();
            if (parts.Length > 7) throw new QueryException("UNSUPPORTED_FEATURE", $"Tuples of more than 7 parts can't be made of rows: write a record in place of {typeof(T)}.");
            if (parts.Length != schema.Count) throw new QueryException("NUM_COLUMNS_MISMATCH", $"The rows have {schema.Count} columns ({schema}), the tuple has {parts.Length} parts.");
            return Expression.New(typeof(T).GetConstructor(parts)!, parts.Select((part, i) => Read(i, part, $"Item{i + 1}", "the tuple")));
        }

        Expression Record()
        {
            var type = typeof(T).Name;
            var constructors = typeof(T).GetConstructors().OrderByDescending(each => each.GetParameters().Length).ToArray();
            var chosen = constructors.FirstOrDefault(each => each.GetParameters().All(parameter => IndexOf(parameter.Name!) >= 0 || parameter.HasDefaultValue));
            if (chosen is null && !typeof(T).IsValueType)
            {
                var missing = constructors.FirstOrDefault()?.GetParameters().FirstOrDefault(parameter => IndexOf(parameter.Name!) < 0 && !parameter.HasDefaultValue)
                    ?? throw new QueryException("UNSUPPORTED_DATATYPE", $"{typeof(T)} has no public constructor, so rows can't become one. Use a record.");
                throw new QueryException(
                    "UNRESOLVED_COLUMN",
                    $"{type} needs '{missing.Name}', but the rows have no such column. There are: {Suggest.Some([.. schema.Select(field => field.Name)])}.{Suggest.Hint(missing.Name!, schema.Select(field => field.Name))} Name it so with AS.");
            }
            var parameters = chosen?.GetParameters() ?? [];
            var arguments = parameters.Select(parameter => IndexOf(parameter.Name!) is var index and >= 0
                ? Read(index, parameter.ParameterType, parameter.Name!, type)
                : Expression.Constant(parameter.DefaultValue, parameter.ParameterType));
            var made = chosen is null ? Expression.New(typeof(T)) : Expression.New(chosen, arguments);
            var taken = parameters.Select(parameter => parameter.Name!).ToHashSet(StringComparer.OrdinalIgnoreCase);
            var settable = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0 && !taken.Contains(property.Name) && IndexOf(property.Name) >= 0)
                .ToArray();
            if (parameters.Length == 0 && settable.Length == 0)
            {
                throw new QueryException(
                    "UNRESOLVED_COLUMN", $"None of the columns ({Suggest.Some([.. schema.Select(field => field.Name)])}) has a place in {typeof(T)}: it has no parameter or property of such a name.");
            }
            return settable.Length == 0
                ? made
                : Expression.MemberInit(made, settable.Select(property => Expression.Bind(property, Read(IndexOf(property.Name), property.PropertyType, property.Name, type))));
        }

        int IndexOf(string name)
        {
            var index = schema.IndexOf(name);
            if (index >= 0 && schema.Skip(index + 1).Any(field => string.Equals(field.Name, name, StringComparison.OrdinalIgnoreCase)))
                throw new QueryException("AMBIGUOUS_REFERENCE", $"The rows have several columns '{name}', so it is open which goes to {typeof(T).Name}.{name}. Give them names of their own with AS.");
            return index;
        }

        Expression Read(int index, Type target, string member, string? owner)
        {
            var place = owner is null ? member : $"{owner}.{member}";
            var field = schema[index];
            var reader = ColumnReaders.Find(field.Type, target) ?? throw new QueryException(
                "DATATYPE_MISMATCH",
                $"Column '{field.Name}' is {field.Type}, which has no place in {place} of type {ColumnReaders.NameOf(target)}. Use {ColumnReaders.BestFor(field.Type)}, or cast the column.");
            var vector = Expression.ArrayIndex(vectors, Expression.Constant(index));
            Expression value = Expression.Call(reader, vector, row);
            if (value.Type != target) value = Expression.Convert(value, target);
            Expression whenNull = target.IsValueType && Nullable.GetUnderlyingType(target) is null
                ? Expression.Call(typeof(ColumnReaders), nameof(ColumnReaders.NoNull), [target], Expression.Constant(field.Name), Expression.Constant(field.Type.SqlName), Expression.Constant(place))
                : Expression.Default(target);
            return Expression.Condition(Expression.Call(vector, nameof(ColumnVector.IsNull), null, row), whenNull, value);
        }
    }
}
