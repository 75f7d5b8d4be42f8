using System.Numerics;
using System.Runtime.CompilerServices;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Records;

namespace Dataflow.Sql.Lambdas;

/// <summary>Where results of some rows are put before they are written: numbers at their place at once. One a task.</summary>
/// <typeparam name="R">The type of the results.</typeparam>
internal sealed unsafe class LambdaResults<R>
{
    private readonly ValueWriter<R> _writer = ValueWriter<R>.Make();
    private readonly R[] _values = LambdaLoop.IsInPlace(typeof(R)) ? [] : new R[LambdaLoop.PartRows];

    public Span<R> Begin(byte* data, int start, int count) =>
        LambdaLoop.IsInPlace(typeof(R)) ? new Span<R>(data + ((nint)start * Unsafe.SizeOf<R>()), count) : _values.AsSpan(0, count);

    public void End(int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        if (LambdaLoop.IsInPlace(typeof(R))) return;
        if (live == null)
        {
            _writer.Write(_values.AsSpan(0, count), start, data, heap, setNull);
            return;
        }
        // Rows that do not count hold what earlier ones left there. Runs of those that do are written.
        for (var row = 0; row < count;)
        {
            if (!Bits.Get(live, start + row))
            {
                row++;
                continue;
            }
            var first = row;
            while (row < count && Bits.Get(live, start + row)) row++;
            _writer.Write(_values.AsSpan(first, row - first), start + first, data, heap, setNull);
        }
    }
}

/// <summary>Calls a lambda of 1 parameter.</summary>
internal sealed unsafe class LambdaLoop<T1, R>(Func<T1, R> lambda) : LambdaLoop(lambda)
{
    private readonly State? _state;

    private LambdaLoop(Func<T1, R> lambda, string name) : this(lambda)
    {
        Name = name;
        _state = new State(lambda);
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, R>(lambda, name);

    protected override void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var function = lambda;
        var a1 = state.Reader1.Read(arguments[0], start, count, live);
        var results = state.Results.Begin(data, start, count);
        if (live == null && state.Kernel is not null)
        {
            state.Kernel(function.Target, in a1[0], ref results[0], count);
        }
        else
        {
            for (var first = 0; first < count; first += 64)
            {
                var bits = Bits.Word(live, (start + first) >> 6, start + count);
                if (bits == ulong.MaxValue && state.Kernel is not null)
                {
                    state.Kernel(function.Target, in a1[first], ref results[first], 64);
                    continue;
                }
                for (; bits != 0; bits &= bits - 1)
                {
                    var row = first + BitOperations.TrailingZeroCount(bits);
                    results[row] = function(a1[row]);
                }
            }
        }
        state.Results.End(start, count, live, data, heap, setNull);
    }

    private sealed class State(Func<T1, R> lambda)
    {
        public readonly LambdaKernel<T1, R>? Kernel = LambdaKernels.Of<LambdaKernel<T1, R>>(lambda);
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly LambdaResults<R> Results = new();
    }
}

/// <summary>Calls a lambda of 2 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, R>(Func<T1, T2, R> lambda) : LambdaLoop(lambda)
{
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, R> lambda, string name) : this(lambda)
    {
        Name = name;
        _state = new State(lambda);
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, R>(lambda, name);

    protected override void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var function = lambda;
        var a1 = state.Reader1.Read(arguments[0], start, count, live);
        var a2 = state.Reader2.Read(arguments[1], start, count, live);
        var results = state.Results.Begin(data, start, count);
        if (live == null && state.Kernel is not null)
        {
            state.Kernel(function.Target, in a1[0], in a2[0], ref results[0], count);
        }
        else
        {
            for (var first = 0; first < count; first += 64)
            {
                var bits = Bits.Word(live, (start + first) >> 6, start + count);
                if (bits == ulong.MaxValue && state.Kernel is not null)
                {
                    state.Kernel(function.Target, in a1[first], in a2[first], ref results[first], 64);
                    continue;
                }
                for (; bits != 0; bits &= bits - 1)
                {
                    var row = first + BitOperations.TrailingZeroCount(bits);
                    results[row] = function(a1[row], a2[row]);
                }
            }
        }
        state.Results.End(start, count, live, data, heap, setNull);
    }

    private sealed class State(Func<T1, T2, R> lambda)
    {
        public readonly LambdaKernel<T1, T2, R>? Kernel = LambdaKernels.Of<LambdaKernel<T1, T2, R>>(lambda);
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly LambdaResults<R> Results = new();
    }
}

/// <summary>Calls a lambda of 3 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, R>(Func<T1, T2, T3, R> lambda) : LambdaLoop(lambda)
{
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, R> lambda, string name) : this(lambda)
    {
        Name = name;
        _state = new State(lambda);
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, R>(lambda, name);

    protected override void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var function = lambda;
        var a1 = state.Reader1.Read(arguments[0], start, count, live);
        var a2 = state.Reader2.Read(arguments[1], start, count, live);
        var a3 = state.Reader3.Read(arguments[2], start, count, live);
        var results = state.Results.Begin(data, start, count);
        if (live == null && state.Kernel is not null)
        {
            state.Kernel(function.Target, in a1[0], in a2[0], in a3[0], ref results[0], count);
        }
        else
        {
            for (var first = 0; first < count; first += 64)
            {
                var bits = Bits.Word(live, (start + first) >> 6, start + count);
                if (bits == ulong.MaxValue && state.Kernel is not null)
                {
                    state.Kernel(function.Target, in a1[first], in a2[first], in a3[first], ref results[first], 64);
                    continue;
                }
                for (; bits != 0; bits &= bits - 1)
                {
                    var row = first + BitOperations.TrailingZeroCount(bits);
                    results[row] = function(a1[row], a2[row], a3[row]);
                }
            }
        }
        state.Results.End(start, count, live, data, heap, setNull);
    }

    private sealed class State(Func<T1, T2, T3, R> lambda)
    {
        public readonly LambdaKernel<T1, T2, T3, R>? Kernel = LambdaKernels.Of<LambdaKernel<T1, T2, T3, R>>(lambda);
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly LambdaResults<R> Results = new();
    }
}

/// <summary>Calls a lambda of 4 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, T4, R>(Func<T1, T2, T3, T4, R> lambda) : LambdaLoop(lambda)
{
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, T4, R> lambda, string name) : this(lambda)
    {
        Name = name;
        _state = new State(lambda);
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, T4, R>(lambda, name);

    protected override void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var function = lambda;
        var a1 = state.Reader1.Read(arguments[0], start, count, live);
        var a2 = state.Reader2.Read(arguments[1], start, count, live);
        var a3 = state.Reader3.Read(arguments[2], start, count, live);
        var a4 = state.Reader4.Read(arguments[3], start, count, live);
        var results = state.Results.Begin(data, start, count);
        if (live == null && state.Kernel is not null)
        {
            state.Kernel(function.Target, in a1[0], in a2[0], in a3[0], in a4[0], ref results[0], count);
        }
        else
        {
            for (var first = 0; first < count; first += 64)
            {
                var bits = Bits.Word(live, (start + first) >> 6, start + count);
                if (bits == ulong.MaxValue && state.Kernel is not null)
                {
                    state.Kernel(function.Target, in a1[first], in a2[first], in a3[first], in a4[first], ref results[first], 64);
                    continue;
                }
                for (; bits != 0; bits &= bits - 1)
                {
                    var row = first + BitOperations.TrailingZeroCount(bits);
                    results[row] = function(a1[row], a2[row], a3[row], a4[row]);
                }
            }
        }
        state.Results.End(start, count, live, data, heap, setNull);
    }

    private sealed class State(Func<T1, T2, T3, T4, R> lambda)
    {
        public readonly LambdaKernel<T1, T2, T3, T4, R>? Kernel = LambdaKernels.Of<LambdaKernel<T1, T2, T3, T4, R>>(lambda);
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly ArgumentReader<T4> Reader4 = ArgumentReader<T4>.Make();
        public readonly LambdaResults<R> Results = new();
    }
}

/// <summary>Calls a lambda of 5 parameters.</summary>
internal sealed unsafe class LambdaLoop<T1, T2, T3, T4, T5, R>(Func<T1, T2, T3, T4, T5, R> lambda) : LambdaLoop(lambda)
{
    private readonly State? _state;

    private LambdaLoop(Func<T1, T2, T3, T4, T5, R> lambda, string name) : this(lambda)
    {
        Name = name;
        _state = new State(lambda);
    }

    public override LambdaLoop Copy(string name) => new LambdaLoop<T1, T2, T3, T4, T5, R>(lambda, name);

    protected override void Part(ReadOnlySpan<ColumnVector> arguments, int start, int count, ulong* live, byte* data, TextHeap heap, Action<int> setNull)
    {
        var state = _state!;
        var function = lambda;
        var a1 = state.Reader1.Read(arguments[0], start, count, live);
        var a2 = state.Reader2.Read(arguments[1], start, count, live);
        var a3 = state.Reader3.Read(arguments[2], start, count, live);
        var a4 = state.Reader4.Read(arguments[3], start, count, live);
        var a5 = state.Reader5.Read(arguments[4], start, count, live);
        var results = state.Results.Begin(data, start, count);
        if (live == null && state.Kernel is not null)
        {
            state.Kernel(function.Target, in a1[0], in a2[0], in a3[0], in a4[0], in a5[0], ref results[0], count);
        }
        else
        {
            for (var first = 0; first < count; first += 64)
            {
                var bits = Bits.Word(live, (start + first) >> 6, start + count);
                if (bits == ulong.MaxValue && state.Kernel is not null)
                {
                    state.Kernel(function.Target, in a1[first], in a2[first], in a3[first], in a4[first], in a5[first], ref results[first], 64);
                    continue;
                }
                for (; bits != 0; bits &= bits - 1)
                {
                    var row = first + BitOperations.TrailingZeroCount(bits);
                    results[row] = function(a1[row], a2[row], a3[row], a4[row], a5[row]);
                }
            }
        }
        state.Results.End(start, count, live, data, heap, setNull);
    }

    private sealed class State(Func<T1, T2, T3, T4, T5, R> lambda)
    {
        public readonly LambdaKernel<T1, T2, T3, T4, T5, R>? Kernel = LambdaKernels.Of<LambdaKernel<T1, T2, T3, T4, T5, R>>(lambda);
        public readonly ArgumentReader<T1> Reader1 = ArgumentReader<T1>.Make();
        public readonly ArgumentReader<T2> Reader2 = ArgumentReader<T2>.Make();
        public readonly ArgumentReader<T3> Reader3 = ArgumentReader<T3>.Make();
        public readonly ArgumentReader<T4> Reader4 = ArgumentReader<T4>.Make();
        public readonly ArgumentReader<T5> Reader5 = ArgumentReader<T5>.Make();
        public readonly LambdaResults<R> Results = new();
    }
}

/// <summary>The error of a function of the program.</summary>
internal static class LambdaError
{
    public static bool IsOfUser(Exception error) => error is not (OutOfMemoryException or OperationCanceledException or QueryException);

    public static QueryException Of(string name, Exception error) => new(
        "FAILED_EXECUTE_UDF",
        $"The function '{name}' threw {error.GetType().Name}: {error.Message}{Where(error)} Catch it in the function and return null, or filter such rows before.");

    /// <summary>Where it was thrown, in brackets: the innermost place that is not .NET's own; an empty text if nobody knows.</summary>
    public static string Where(Exception error)
    {
        string[] frames = [.. (error.StackTrace ?? "").Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("at ", StringComparison.Ordinal))];
        return (frames.FirstOrDefault(frame => !frame.StartsWith("at System.", StringComparison.Ordinal)) ?? frames.FirstOrDefault()) is { } first ? $" ({first})." : "";
    }
}
