using System.Text;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>A task with memory, columns made of plain values, and evaluators over them.</summary>
internal sealed unsafe class KernelRig : IDisposable
{
    private readonly LoneTask _task = new();
    private readonly List<ColumnReference> _columns = [];
    private readonly List<ColumnVector> _vectors = [];

    public KernelRig(string? text = null, string zone = "UTC")
    {
        Arena = new TaskArena(_task.Context, "test");
        Context = new EvaluatorContext(Arena, new SessionSettings { TimeZone = zone, NowMicroseconds = 1_700_000_000_123_456 }, text);
    }

    public TaskArena Arena { get; }

    public EvaluatorContext Context { get; }

    public int Rows { get; private set; }

    public void SetRows(int rows) => Rows = rows;

    /// <summary>A function applied to arguments, cast where its signature asks for it.</summary>
    public static Expression Call(string name, params Expression[] arguments) => CallAt(-1, name, arguments);

    public static Expression CallAt(int position, string name, params Expression[] arguments)
    {
        var function = BuiltinFunctions.Registry.FindScalar(name) ?? throw new ArgumentException($"There is no function {name}.");
        var signature = function.Resolve(new ValueList<Expression>(arguments))
            ?? throw new ArgumentException($"{function.Usage} does not take {string.Join(", ", arguments.Select(each => each.Type))}.");
        var cast = arguments.Select((each, i) => CastTo(each, signature.Arguments[i]));
        return new Call(function, new ValueList<Expression>(cast), signature.Result) { Position = new TextPosition(position) };
    }

    public static Expression CastTo(Expression expression, DataType type)
    {
        if (expression.Type == type) return expression;
        // What the analyser folds at once.
        if (expression is Literal { Value: null }) return Literal.NullOf(type);
        if (expression is Literal { Value: int or long or short or sbyte } number && type is DecimalType { Scale: var scale })
            return new Literal(Int128.CreateChecked(Convert.ToInt64(number.Value, null)) * PowersOfTen.Of(scale), type);
        if (expression is Literal { Value: int or long or short or sbyte } whole && type.Kind == TypeKind.BigInt) return new Literal(Convert.ToInt64(whole.Value, null), type);
        return new Cast(expression, type);
    }

    public static Literal Value(object? value, DataType type) => new(value, type);

    public static Literal Int(int value) => new(value, DataType.Int);

    public static Literal Text(string value) => new(value, DataType.String);

    public static Literal Dec(string value)
    {
        var point = value.IndexOf('.', StringComparison.Ordinal);
        var scale = point < 0 ? 0 : value.Length - point - 1;
        var unscaled = Int128.Parse(value.Replace(".", "", StringComparison.Ordinal), null);
        var digits = Int128.Abs(unscaled).ToString(null, null).Length;
        return new Literal(unscaled, DataType.Decimal(Math.Max(digits, scale), scale));
    }

    /// <summary>A column of values as literals hold them; null is null.</summary>
    public ColumnReference Column(string name, DataType type, params object?[] values)
    {
        Rows = values.Length;
        var reference = new ColumnReference(name, type, values.Any(value => value is null));
        _columns.Add(reference);
        _vectors.Add(Flat(type, values));
        return reference;
    }

    /// <summary>A column whose rows are codes of values.</summary>
    public ColumnReference Coded(string name, DataType type, object[] values, int?[] codes)
    {
        Rows = codes.Length;
        var reference = new ColumnReference(name, type, codes.Any(code => code is null));
        var dictionary = new ColumnDictionary(Flat(type, values));
        var vector = new ColumnVector(type) { Form = VectorForm.Dictionary, Length = codes.Length, Dictionary = dictionary };
        vector.Codes = (uint*)Arena.Rent(codes.Length * 4).Pointer;
        for (var i = 0; i < codes.Length; i++) vector.Codes[i] = (uint)(codes[i] ?? 0);
        vector.Validity = Validity([.. codes.Select(code => (object?)code)]);
        _columns.Add(reference);
        _vectors.Add(vector);
        return reference;
    }

    /// <summary>A column that is one value for all rows.</summary>
    public ColumnReference Constant(string name, DataType type, object? value)
    {
        var vector = Flat(type, [value]);
        vector.Form = VectorForm.Constant;
        vector.Length = Rows;
        var reference = new ColumnReference(name, type, value is null);
        _columns.Add(reference);
        _vectors.Add(vector);
        return reference;
    }

    public ColumnBatch Batch(params bool[] mask)
    {
        var batch = new ColumnBatch([.. _vectors]);
        if (mask.Length == 0)
        {
            batch.Set(Rows);
            return batch;
        }
        var bits = (ulong*)Arena.Rent((Rows / 8) + 8).Pointer;
        new Span<byte>(bits, ((Rows + 63) / 64) * 8).Clear();
        for (var i = 0; i < Rows; i++)
        {
            if (mask[i]) bits[i >> 6] |= 1UL << (i & 63);
        }
        batch.Set(Rows, bits);
        return batch;
    }

    public Evaluator Compile(Expression expression) => ExpressionCompiler.Compile(expression, new ValueList<ColumnReference>(_columns), Context);

    /// <summary>What an expression gives for each row; rows that the mask leaves out give null.</summary>
    public object?[] Evaluate(Expression expression, params bool[] mask)
    {
        var evaluator = Compile(expression);
        evaluator.Evaluate(Batch(mask));                   // A second batch must not see what the first left behind.
        return Read(evaluator.Evaluate(Batch(mask)), Rows, mask);
    }

    public object? One(Expression expression)
    {
        if (Rows == 0) Column("one", DataType.Int, 1);
        return Evaluate(expression)[0];
    }

    public bool[] Filter(Expression predicate, params bool[] mask)
    {
        var filter = ExpressionCompiler.CompileFilter(predicate, new ValueList<ColumnReference>(_columns), Context);
        var batch = Batch(mask);
        var alive = batch.Alive;
        var bits = filter.Filter(batch);
        Assert.Equal(alive, batch.Alive);
        if ((Rows & 63) != 0) Assert.Equal(0UL, bits[Rows >> 6] >> (Rows & 63));
        return [.. Enumerable.Range(0, Rows).Select(i => (bits[i >> 6] >> (i & 63) & 1) != 0)];
    }

    public static object?[] Read(ColumnVector vector, int rows, bool[]? mask = null) =>
        [.. Enumerable.Range(0, rows).Select(i => mask is { Length: > 0 } && !mask[i] ? null : ReadOne(vector, i))];

    public static object? ReadOne(ColumnVector vector, int row)
    {
        if (vector.IsNull(row)) return null;
        return vector.Type.Physical switch
        {
            PhysicalType.Bit => vector.Bit(row),
            PhysicalType.Int8 => vector.Value<sbyte>(row),
            PhysicalType.Int16 => vector.Value<short>(row),
            PhysicalType.Int32 => vector.Value<int>(row),
            PhysicalType.Int64 => vector.Type.Kind == TypeKind.Decimal ? (object)(Int128)vector.Value<long>(row) : vector.Value<long>(row),
            PhysicalType.Int128 => vector.Value<Int128>(row),
            PhysicalType.Float32 => vector.Value<float>(row),
            PhysicalType.Float64 => vector.Value<double>(row),
            _ => vector.Type.Kind == TypeKind.Binary
                ? StringView.BytesOf((StringView*)vector.ValueAt(row)).ToArray()
                : StringView.TextOf((StringView*)vector.ValueAt(row)),
        };
    }

    public ColumnVector Flat(DataType type, object?[] values)
    {
        var vector = new ColumnVector(type) { Length = values.Length };
        var isBit = type.Physical == PhysicalType.Bit;
        var bytes = isBit ? ((values.Length + 63) / 64) * 8 : values.Length * type.ByteWidth;
        var data = Arena.Rent(bytes).Pointer;
        // Rows without a value, and what lies behind the last, hold whatever comes.
        new Random(values.Length).NextBytes(new Span<byte>(data, bytes + TaskArena.Slack));
        if (type.Physical == PhysicalType.View) new Span<byte>(data, bytes).Clear();
        for (var i = 0; i < values.Length; i++)
        {
            if (isBit) ((ulong*)data)[i >> 6] &= ~(1UL << (i & 63));
            switch (values[i])
            {
                case null: break;
                case bool value: ((ulong*)data)[i >> 6] |= value ? 1UL << (i & 63) : 0; break;
                case sbyte value: ((sbyte*)data)[i] = value; break;
                case short value: ((short*)data)[i] = value; break;
                case int value: ((int*)data)[i] = value; break;
                case long value: ((long*)data)[i] = value; break;
                case float value: ((float*)data)[i] = value; break;
                case double value: ((double*)data)[i] = value; break;
                case Int128 value when type.Physical == PhysicalType.Int64: ((long*)data)[i] = (long)value; break;
                case Int128 value: ((Int128*)data)[i] = value; break;
                case string value: ((StringView*)data)[i] = View(Encoding.UTF8.GetBytes(value)); break;
                case byte[] value: ((StringView*)data)[i] = View(value); break;
                default: throw new ArgumentException($"{values[i]!.GetType()} is no value.");
            }
        }
        vector.Data = data;
        vector.Validity = Validity(values);
        return vector;
    }

    public void Dispose() => _task.Dispose();

    private StringView View(byte[] bytes)
    {
        var memory = Arena.Rent(bytes.Length).Pointer;
        bytes.CopyTo(new Span<byte>(memory, bytes.Length));
        return StringView.Of(memory, bytes.Length);
    }

    private ulong* Validity(object?[] values)
    {
        if (!values.Contains(null)) return null;
        var bits = (ulong*)Arena.Rent(((values.Length + 63) / 64) * 8).Pointer;
        new Span<byte>(bits, ((values.Length + 63) / 64) * 8).Clear();
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is not null) bits[i >> 6] |= 1UL << (i & 63);
        }
        return bits;
    }
}
