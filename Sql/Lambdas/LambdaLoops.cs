using System.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;
using Dataflow.Tasks;

namespace Dataflow.Sql.Lambdas;

/// <summary>Where results of a lambda are put before they are written: numbers at their place at once. One a task.</summary>
/// <typeparam name="R">The type of the results.</typeparam>
internal sealed unsafe class LambdaResults<R>
{
    private static readonly bool IsInPlace = typeof(R) == typeof(sbyte) || typeof(R) == typeof(short) || typeof(R) == typeof(int) || typeof(R) == typeof(long)
        || typeof(R) == typeof(float) || typeof(R) == typeof(double);

    private readonly ValueWriter<R> _writer = ValueWriter<R>.Make();
    private readonly R[] _values = IsInPlace ? [] : new R[ColumnBatch.MaxRows];
    private readonly CancellationToken _cancellation = TaskContext.Current?.CancellationToken ?? default;

    /// <summary>Rows between two looks at whether the task was cancelled: lambdas may be slow.</summary>
    public const int Slice = 256;

    public void ThrowIfCancelled() => _cancellation.ThrowIfCancellationRequested();

    public Span<R> Begin(byte* data, int rows) => IsInPlace ? new Span<R>(data, rows) : _values.AsSpan(0, rows);

    public void End(int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        if (IsInPlace) return;
        if (live == null)
        {
            _writer.Write(_values.AsSpan(0, rows), 0, data, heap, setNull);
            return;
        }
        // Rows that do not count hold what an earlier batch left there. Runs of those that do are written.
        for (var row = 0; row < rows;)
        {
            if (!Bits.Get(live, row))
            {
                row++;
                continue;
            }
            var first = row;
            while (row < rows && Bits.Get(live, row)) row++;
            _writer.Write(_values.AsSpan(first, row - first), first, data, heap, setNull);
        }
    }
}

/// <summary>Calls a lambda of 1 parameter.</summary>
internal sealed unsafe class LambdaLoop<T1, R>(Func<T1, R> lambda) : LambdaLoop(lambda)
{
    private sealed class State
    {
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly LambdaResults<R> Results = new();
    }

    private readonly string _name = "";
    private readonly State? _state;

    private LambdaLoop(Func<T1, R> lambda, string name) : this(lambda)
    {
        _name = name;
        _state = new State();
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, R>(lambda, name);

    public override void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var a1 = state.Reader1.Read(arguments[0], rows, live);
        var results = state.Results.Begin(data, rows);
        var function = lambda;
        try
        {
            if (live == null)
            {
                for (var start = 0; start < rows; start += LambdaResults<R>.Slice)
                {
                    state.Results.ThrowIfCancelled();
                    var part = results.Slice(start, Math.Min(results.Length - start, LambdaResults<R>.Slice));
                    var given1 = a1.Slice(start, part.Length);
                    for (var i = 0; i < part.Length; i++) part[i] = function(given1[i]);
                }
            }
            else
            {
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    state.Results.ThrowIfCancelled();
                    for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                    {
                        var i = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        results[i] = function(a1[i]);
                    }
                }
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(_name, error);
        }
        state.Results.End(rows, live, data, heap, setNull);
    }
}

/// <summary>Calls a lambda of 2 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, R>(Func<T1, T2, R> lambda) : LambdaLoop(lambda)
{
    private sealed class State
    {
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly LambdaResults<R> Results = new();
    }

    private readonly string _name = "";
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, R> lambda, string name) : this(lambda)
    {
        _name = name;
        _state = new State();
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, R>(lambda, name);

    public override void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var a1 = state.Reader1.Read(arguments[0], rows, live);
        var a2 = state.Reader2.Read(arguments[1], rows, live);
        var results = state.Results.Begin(data, rows);
        var function = lambda;
        try
        {
            if (live == null)
            {
                for (var start = 0; start < rows; start += LambdaResults<R>.Slice)
                {
                    state.Results.ThrowIfCancelled();
                    var part = results.Slice(start, Math.Min(results.Length - start, LambdaResults<R>.Slice));
                    var given1 = a1.Slice(start, part.Length);
                    var given2 = a2.Slice(start, part.Length);
                    for (var i = 0; i < part.Length; i++) part[i] = function(given1[i], given2[i]);
                }
            }
            else
            {
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    state.Results.ThrowIfCancelled();
                    for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                    {
                        var i = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        results[i] = function(a1[i], a2[i]);
                    }
                }
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(_name, error);
        }
        state.Results.End(rows, live, data, heap, setNull);
    }
}

/// <summary>Calls a lambda of 3 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, R>(Func<T1, T2, T3, R> lambda) : LambdaLoop(lambda)
{
    private sealed class State
    {
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly LambdaResults<R> Results = new();
    }

    private readonly string _name = "";
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, R> lambda, string name) : this(lambda)
    {
        _name = name;
        _state = new State();
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, R>(lambda, name);

    public override void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var a1 = state.Reader1.Read(arguments[0], rows, live);
        var a2 = state.Reader2.Read(arguments[1], rows, live);
        var a3 = state.Reader3.Read(arguments[2], rows, live);
        var results = state.Results.Begin(data, rows);
        var function = lambda;
        try
        {
            if (live == null)
            {
                for (var start = 0; start < rows; start += LambdaResults<R>.Slice)
                {
                    state.Results.ThrowIfCancelled();
                    var part = results.Slice(start, Math.Min(results.Length - start, LambdaResults<R>.Slice));
                    var given1 = a1.Slice(start, part.Length);
                    var given2 = a2.Slice(start, part.Length);
                    var given3 = a3.Slice(start, part.Length);
                    for (var i = 0; i < part.Length; i++) part[i] = function(given1[i], given2[i], given3[i]);
                }
            }
            else
            {
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    state.Results.ThrowIfCancelled();
                    for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                    {
                        var i = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        results[i] = function(a1[i], a2[i], a3[i]);
                    }
                }
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(_name, error);
        }
        state.Results.End(rows, live, data, heap, setNull);
    }
}

/// <summary>Calls a lambda of 4 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, T4, R>(Func<T1, T2, T3, T4, R> lambda) : LambdaLoop(lambda)
{
    private sealed class State
    {
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly ArgumentReader<T4> Reader4 = ArgumentReader<T4>.Make();
        public readonly LambdaResults<R> Results = new();
    }

    private readonly string _name = "";
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, T4, R> lambda, string name) : this(lambda)
    {
        _name = name;
        _state = new State();
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, T4, R>(lambda, name);

    public override void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var a1 = state.Reader1.Read(arguments[0], rows, live);
        var a2 = state.Reader2.Read(arguments[1], rows, live);
        var a3 = state.Reader3.Read(arguments[2], rows, live);
        var a4 = state.Reader4.Read(arguments[3], rows, live);
        var results = state.Results.Begin(data, rows);
        var function = lambda;
        try
        {
            if (live == null)
            {
                for (var start = 0; start < rows; start += LambdaResults<R>.Slice)
                {
                    state.Results.ThrowIfCancelled();
                    var part = results.Slice(start, Math.Min(results.Length - start, LambdaResults<R>.Slice));
                    var given1 = a1.Slice(start, part.Length);
                    var given2 = a2.Slice(start, part.Length);
                    var given3 = a3.Slice(start, part.Length);
                    var given4 = a4.Slice(start, part.Length);
                    for (var i = 0; i < part.Length; i++) part[i] = function(given1[i], given2[i], given3[i], given4[i]);
                }
            }
            else
            {
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    state.Results.ThrowIfCancelled();
                    for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                    {
                        var i = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        results[i] = function(a1[i], a2[i], a3[i], a4[i]);
                    }
                }
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(_name, error);
        }
        state.Results.End(rows, live, data, heap, setNull);
    }
}

/// <summary>Calls a lambda of 5 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, T4, T5, R>(Func<T1, T2, T3, T4, T5, R> lambda) : LambdaLoop(lambda)
{
    private sealed class State
    {
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly ArgumentReader<T4> Reader4 = ArgumentReader<T4>.Make();
        public readonly ArgumentReader<T5> Reader5 = ArgumentReader<T5>.Make();
        public readonly LambdaResults<R> Results = new();
    }

    private readonly string _name = "";
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, T4, T5, R> lambda, string name) : this(lambda)
    {
        _name = name;
        _state = new State();
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, T4, T5, R>(lambda, name);

    public override void Run(ReadOnlySpan<ColumnVector> arguments, int rows, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var a1 = state.Reader1.Read(arguments[0], rows, live);
        var a2 = state.Reader2.Read(arguments[1], rows, live);
        var a3 = state.Reader3.Read(arguments[2], rows, live);
        var a4 = state.Reader4.Read(arguments[3], rows, live);
        var a5 = state.Reader5.Read(arguments[4], rows, live);
        var results = state.Results.Begin(data, rows);
        var function = lambda;
        try
        {
            if (live == null)
            {
                for (var start = 0; start < rows; start += LambdaResults<R>.Slice)
                {
                    state.Results.ThrowIfCancelled();
                    var part = results.Slice(start, Math.Min(results.Length - start, LambdaResults<R>.Slice));
                    var given1 = a1.Slice(start, part.Length);
                    var given2 = a2.Slice(start, part.Length);
                    var given3 = a3.Slice(start, part.Length);
                    var given4 = a4.Slice(start, part.Length);
                    var given5 = a5.Slice(start, part.Length);
                    for (var i = 0; i < part.Length; i++) part[i] = function(given1[i], given2[i], given3[i], given4[i], given5[i]);
                }
            }
            else
            {
                for (var word = 0; word < Bits.Words(rows); word++)
                {
                    state.Results.ThrowIfCancelled();
                    for (var bits = Bits.Word(live, word, rows); bits != 0; bits &= bits - 1)
                    {
                        var i = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        results[i] = function(a1[i], a2[i], a3[i], a4[i], a5[i]);
                    }
                }
            }
        }
        catch (Exception error) when (LambdaError.IsOfUser(error))
        {
            throw LambdaError.Of(_name, error);
        }
        state.Results.End(rows, live, data, heap, setNull);
    }
}

/// <summary>The error of a function of the program.</summary>
internal static class LambdaError
{
    public static bool IsOfUser(Exception error) => error is not (OutOfMemoryException or OperationCanceledException or QueryException);

    public static QueryException Of(string name, Exception error) => new(
        "FAILED_EXECUTE_UDF",
        $"The function '{name}' threw {error.GetType().Name}: {error.Message}{Where(error)} Catch it in the function and return null, or filter such rows before.");

    private static string Where(Exception error) =>
        error.StackTrace?.Split('\n').FirstOrDefault(line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal))?.Trim() is { } first ? $" ({first})." : "";
}
