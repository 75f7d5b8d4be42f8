using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Sql.Records;

/// <summary>What columns records of a type have: a column for each property that can be read, or part of a tuple; a column <c>value</c> for plain values.</summary>
/// <typeparam name="T">The type.</typeparam>
internal sealed class RecordShape<T>
{
    private readonly MemberInfo?[] _members;
    private readonly Func<RecordColumn<T>>?[] _columns;

    private RecordShape(Schema schema, MemberInfo?[] members)
    {
        Schema = schema;
        _members = members;
        _columns = new Func<RecordColumn<T>>?[members.Length];
    }

    /// <summary>The columns.</summary>
    public Schema Schema { get; }

    /// <summary>The shape, made once.</summary>
    /// <exception cref="QueryException">A member has a type that SQL does not have; says which.</exception>
    public static RecordShape<T> Find() => Cache.Value;

    /// <summary>What writes a column of the schema.</summary>
    public RecordColumn<T> Column(int index) => (_columns[index] ??= Compile(index))();

    // Compiled once: each task makes a column of its own.
    private Func<RecordColumn<T>> Compile(int index)
    {
        var member = _members[index];
        var type = member switch
        {
            null => typeof(T),
            PropertyInfo property => property.PropertyType,
            _ => ((FieldInfo)member).FieldType,
        };
        var record = Expression.Parameter(typeof(T), "record");
        var access = member is null ? (Expression)record : Expression.MakeMemberAccess(record, member);
        var get = Expression.Lambda(typeof(Func<,>).MakeGenericType(typeof(T), type), access, record).Compile();
        return typeof(RecordShape<T>).GetMethod(nameof(Making), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type)
            .CreateDelegate<Func<DataType, Delegate, Func<RecordColumn<T>>>>()(Schema[index].Type, get);
    }

    private static Func<RecordColumn<T>> Making<V>(DataType type, Delegate get) => () => new RecordColumn<T, V>(type, (Func<T, V>)get);

    private static RecordShape<T> Make()
    {
        if (ClrTypes.Find(typeof(T)) is { } plain) return new RecordShape<T>(new Schema(new Field("value", plain, ClrTypes.IsNullable(typeof(T)))), [null]);
        MemberInfo[] members = typeof(T).IsValueType && typeof(T).IsAssignableTo(typeof(ITuple))
            ? typeof(T).GetFields()
            : [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)];
        if (members.Length == 0) throw new QueryException("UNSUPPORTED_DATATYPE", $"{typeof(T)} has no public properties, so it has no columns. Use a record or a tuple.");
        return new RecordShape<T>(new Schema(members.Select(Field).ToArray()), members);

        Field Field(MemberInfo member)
        {
            var type = member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType;
            var sql = ClrTypes.Find(type) ?? throw new QueryException(
                "UNSUPPORTED_DATATYPE", $"{typeof(T).Name}.{member.Name} is a {type}, for which there is no SQL type. Leave it out with Map(each => new {{ ... }}), or turn it into text or numbers.");
            // A text may be null in spite of what its declaration says: code without annotations does not know of it.
            return new Field(member.Name, sql, ClrTypes.IsNullable(type));
        }
    }

    private static class Cache
    {
        private static RecordShape<T>? _value;

        // No static initialiser: its errors would come wrapped, and only once as they are.
        public static RecordShape<T> Value => _value ??= Make();
    }
}
