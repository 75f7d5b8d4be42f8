using System.Reflection;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;
using Dataflow.Tasks;

namespace Dataflow.Sql.Lambdas;

/// <summary>A lambda of the program as a function of SQL. It travels to executors as other lambdas do.</summary>
/// <param name="name">Its name.</param>
/// <param name="body">The loop that calls it.</param>
/// <param name="isDeterministic">Whether equal arguments give equal values.</param>
internal sealed class LambdaFunction(string name, LambdaLoop body, bool isDeterministic) : ScalarFunction(name)
{
    public override string Usage => $"{Name}({string.Join(", ", body.Parameters.Select((parameter, i) => $"{body.Names[i]} {ColumnReaders.NameOf(parameter)}"))})";

    public override string Summary => "A function of the program.";

    public override bool IsDeterministic => isDeterministic;

    public override bool MayFail => true;

    public override bool IsNullable(ValueList<Expression> arguments) =>
        ClrTypes.IsNullable(body.Result) || arguments.Where((argument, i) => argument.Nullable && !body.SeesNull[i]).Any();

    public override Signature? Resolve(ValueList<Expression> arguments)
    {
        if (arguments.Count != body.Parameters.Length) return null;
        var types = new DataType[arguments.Count];
        for (var i = 0; i < types.Length; i++)
        {
            if (TypeOf(body.Parameters[i], arguments[i].Type) is not { } type) return null;
            types[i] = type;
        }
        return new Signature([.. types], ClrTypes.Find(body.Result)!);
    }

    public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context) => body.SeesNull.Contains(true) || !isDeterministic
        ? new NullableLambdaEvaluator(body.Copy(Name), body.SeesNull, call.Type, arguments, context, call.Position.Start)
        : new LambdaEvaluator(body.Copy(Name), call.Type, arguments, context, call.Position.Start);

    // The type that a column must have for a parameter.
    private static DataType? TypeOf(Type parameter, DataType given)
    {
        var wanted = ClrTypes.Find(parameter)!;
        if (given.Kind == TypeKind.Null || given == wanted) return wanted;
        var plain = Nullable.GetUnderlyingType(parameter) ?? parameter;
        if (plain == typeof(decimal)) return given.Kind == TypeKind.Decimal ? given : given.IsInteger ? DataType.Decimal(20, 0) : null;
        if (wanted.Kind == TypeKind.Double) return given.IsNumber ? wanted : null;
        if (wanted.IsInteger) return given.IsInteger && given.ByteWidth <= wanted.ByteWidth ? wanted : null;
        if (wanted.Kind == TypeKind.TimestampNtz && given.Kind == TypeKind.Date) return wanted;
        return null;
    }
}

/// <summary>Calls a lambda row by row. Kinds of their own know its types.</summary>
/// <param name="lambda">The lambda.</param>
internal abstract unsafe class LambdaLoop(Delegate lambda)
{
    /// <summary>Types of the parameters.</summary>
    public Type[] Parameters { get; } = [.. lambda.Method.GetParameters().Select(parameter => parameter.ParameterType)];

    /// <summary>Names of the parameters.</summary>
    public string[] Names { get; } = [.. lambda.Method.GetParameters().Select((parameter, i) => parameter.Name ?? $"x{i + 1}")];

    /// <summary>Which parameters are given nulls; a null for another makes the result null.</summary>
    public bool[] SeesNull { get; } = [.. lambda.Method.GetParameters().Select(SeesNulls)];

    /// <summary>The type of the result.</summary>
    public Type Result { get; } = lambda.Method.ReturnType;

    /// <summary>Rows that are read, computed and written together. Few, so that their texts are gone before the garbage collector comes round.</summary>
    public const int PartRows = 256;

    private readonly CancellationToken _cancellation = TaskContext.Current?.CancellationToken ?? default;

    /// <summary>Whether values of a type stand in vectors as they are in .NET.</summary>
    public static bool IsInPlace(Type type) => type == typeof(sbyte) || type == typeof(short) || type == typeof(int) || type == typeof(long) || type == typeof(float) || type == typeof(double);

    /// <summary>What errors call it.</summary>
    protected string Name { get; init; } = "";

    /// <summary>One of a task's own.</summary>
    public abstract LambdaLoop Copy(string name);

    /// <summary>Computes rows.</summary>
    /// <param name="arguments">Flat vectors.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="live">Which of them are computed; null for all.</param>
    /// <param name="data">Where results go.</param>
    /// <param name="heap">Where their text goes.</param>
    /// <param name="setNull">Called for each result that is null.</param>
    public void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        try
        {
            for (var start = 0; start < rows; start += PartRows)
            {
                // Lambdas may be slow.
                _cancellation.ThrowIfCancellationRequested();
                Part(arguments, start, Math.Min(PartRows, rows - start), live, data, heap, setNull);
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(Name, error);
        }
    }

    /// <summary>Computes some of the rows; the first is a multiple of 64.</summary>
    protected abstract void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull);

    private static bool SeesNulls(ParameterInfo parameter) => parameter.ParameterType.IsValueType
        ? Nullable.GetUnderlyingType(parameter.ParameterType) is not null
        : new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
}
