using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Records;

namespace Dataflow.MLlib.RowScoring;

/// <summary>Runs a <see cref="RowPlan"/>, one caller at a time: compiled expressions and the memory of their results.</summary>
internal sealed unsafe class RowRun<TRow> : IDisposable
{
    private readonly TaskArena _arena = TaskArena.OfDriver();
    private readonly RecordColumn<TRow>[] _columns;
    private readonly ColumnBatch _rows;
    private readonly List<Func<ColumnBatch, ColumnBatch>> _steps = [];

    public RowRun(RowPlan plan)
    {
        var shape = RecordShape<TRow>.Find();
        _columns = [.. plan.Scan.Fields.Select(shape.Column)];
        foreach (var column in _columns) column.Open(_arena);
        _rows = new ColumnBatch([.. _columns.Select(column => column.Vector)]);
        var context = new EvaluatorContext(_arena, plan.Settings);
        var columns = plan.Scan.Columns;
        foreach (var step in plan.Steps)
        {
            _steps.Add(step is Project project ? Projection(project, columns, context) : Selection((Filter)step, columns, context));
            columns = step.Output;
        }
    }

    /// <summary>Computes some rows.</summary>
    /// <param name="rows">At most <see cref="ColumnBatch.MaxRows"/>.</param>
    /// <returns>What becomes of them, until the next call.</returns>
    public ColumnBatch Run(ReadOnlySpan<TRow> rows)
    {
        foreach (var column in _columns)
        {
            column.Clear();
            column.Append(rows);
        }
        _rows.Set(rows.Length);
        var batch = _rows;
        foreach (var step in _steps)
        {
            batch = step(batch);
            if (batch.Alive == 0) break;
        }
        return batch;
    }

    public void Dispose() => _arena.Dispose();

    private static Func<ColumnBatch, ColumnBatch> Projection(Project project, ValueList<ColumnReference> columns, EvaluatorContext context)
    {
        var shared = new SharedExpressions(project.Expressions, columns, context);
        Evaluator[] evaluators = [.. project.Items.Select(item => shared.Compile(item.Value))];
        var result = new ColumnBatch([.. project.Items.Select(item => new ColumnVector(item.Value.Type))]);
        return batch =>
        {
            for (var i = 0; i < evaluators.Length; i++) result.Columns[i].Share(evaluators[i].Evaluate(batch));
            result.Set(batch.Rows, batch.Mask);
            return result;
        };
    }

    private static Func<ColumnBatch, ColumnBatch> Selection(Filter filter, ValueList<ColumnReference> columns, EvaluatorContext context)
    {
        var evaluator = ExpressionCompiler.CompileFilter(filter.Condition, columns, context);
        return batch =>
        {
            batch.Set(batch.Rows, evaluator.Filter(batch));
            return batch;
        };
    }
}
