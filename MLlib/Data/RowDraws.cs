using Dataflow.MLlib.Features;
using Dataflow.MLlib.Numerics;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;

namespace Dataflow.MLlib.Data;

/// <summary>A frame that is kept, with a number for each row: its own in the whole frame, or a random one that depends on that and on a seed, and on nothing else.</summary>
internal sealed class RowDraws : IDisposable
{
    /// <summary>The column of random numbers, from 0 to below 1.</summary>
    public const string Column = "__draw";

    /// <summary>The column of the rows' own numbers, from 0.</summary>
    public const string NumberColumn = "__row";

    private RowDraws(DataFrame frame, long rows)
    {
        Frame = frame;
        Rows = rows;
    }

    /// <summary>The frame with the column.</summary>
    public DataFrame Frame { get; }

    /// <summary>How many rows it has.</summary>
    public long Rows { get; }

    /// <summary>Counts the rows of each partition, and numbers them from there.</summary>
    /// <remarks>Action: the frame is computed twice and then kept, as memory allows, until this is disposed.</remarks>
    public static Task<RowDraws> OfAsync(DataFrame frame, ulong seed, CancellationToken cancellationToken) => OfAsync(frame, Column, RowHash.Key(seed, 0x666F6C64), cancellationToken);

    /// <summary>Numbers the rows, and draws nothing.</summary>
    /// <remarks>Action: as for drawing.</remarks>
    public static Task<RowDraws> NumberAsync(DataFrame frame, CancellationToken cancellationToken) => OfAsync(frame, NumberColumn, null, cancellationToken);

    private static async Task<RowDraws> OfAsync(DataFrame frame, string column, ulong? key, CancellationToken cancellationToken)
    {
        if (frame.Schema.IndexOf(column) >= 0)
            throw new QueryException("COLUMN_ALREADY_EXISTS", $"The frame has a column '{column}', which is needed here. Give it another name.");
        var counts = await frame.MapBatches(static batches => new[] { batches.Sum(batch => (long)batch.Alive) }).CollectAsync(cancellationToken).ConfigureAwait(false);
        var firsts = new long[counts.Length + 1];
        for (var i = 0; i < counts.Length; i++) firsts[i + 1] = firsts[i] + counts[i];
        return new RowDraws(frame.WithColumn(column, Functions.Call(new DrawFunction(firsts, key))).Cache(), firsts[^1]);
    }

    public void Dispose() => Frame.Unpersist();

    private sealed class DrawFunction(long[] firsts, ulong? key) : StepFunction("row_draw", DataType.Double)
    {
        // Nothing may move it to where there are other rows.
        public override bool IsDeterministic => false;

        public override Evaluator Compile(Call call, Evaluator[] arguments, EvaluatorContext context)
        {
            var partition = OperatorPartition.Seed;
            if (partition + 1 >= firsts.Length) throw Moved(partition);
            return new DrawEvaluator(firsts[partition], firsts[partition + 1], key, context);
        }

        public static InvalidOperationException Moved(int partition) => new($"Rows came to be numbered in partition {partition} that were not counted there. This is an error of Dataflow; please report it.");
    }

    private sealed unsafe class DrawEvaluator(long next, long end, ulong? key, EvaluatorContext context) : Evaluator
    {
        private readonly FlatVector _result = new(context.Arena, DataType.Double);
        private long _next = next;

        public override ColumnVector Evaluate(ColumnBatch batch)
        {
            foreach (var row in batch.Selection) ((double*)_result.Data)[row] = key is { } drawn ? RowHash.Uniform(drawn, _next++) : _next++;
            return _next <= end ? _result.Set(batch.Rows, false) : throw DrawFunction.Moved(OperatorPartition.Seed);
        }
    }
}
