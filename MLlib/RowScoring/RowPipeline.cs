using System.Collections.Concurrent;
using System.Reflection;
using Dataflow.MLlib.RowScoring;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Records;

namespace Dataflow.MLlib;

/// <summary>
/// Transforms single rows by fitted stages without any engine, as <see cref="Transformer.ForRows"/> prepared it. Safe to use from many threads; results have the bits that a query gives.
/// </summary>
/// <remarks>Some microseconds a row for a pipeline of a few steps, plus what the model costs; rows given together are cheaper. Each thread that is inside at the same time holds
/// about 64 KB for each column that is computed; it is kept for the next until <see cref="Dispose"/>.</remarks>
/// <typeparam name="TRow">What rows are.</typeparam>
/// <typeparam name="TResult">What is made of a row.</typeparam>
public sealed class RowPipeline<TRow, TResult> : IDisposable
{
    private readonly ConcurrentBag<RowRun<TRow>> _idle = [];
    private readonly RowPlan _plan;
    private readonly RecordMapper<TResult> _mapper;
    private volatile bool _isDisposed;

    internal RowPipeline(Transformer stage, string[] columns)
    {
        _plan = RowPlan.Of(stage, RecordShape<TRow>.Find().Schema, schema => Wanted(schema, columns));
        _mapper = RecordMapper<TResult>.For(_plan.Schema);

        // What can't be compiled says so now, and the first row is as quick as others.
        _idle.Add(new RowRun<TRow>(_plan));
    }

    /// <summary>Transforms one row.</summary>
    /// <param name="row">The row.</param>
    /// <exception cref="QueryException">A value is not what a stage can take, as in a query; or a stage leaves the row out (<c>ROW_LEFT_OUT</c>).</exception>
    /// <exception cref="ArgumentNullException">There is no row.</exception>
    public TResult Transform(TRow row) => TryTransform(row, out var result) ? result : throw new QueryException("ROW_LEFT_OUT",
        "A stage leaves this row out, as its HandleInvalid says (Skip), so there is nothing to give. Use TryTransform where rows may be left out.");

    /// <summary>Transforms one row, if no stage leaves it out.</summary>
    /// <param name="row">The row.</param>
    /// <param name="result">What became of it.</param>
    /// <returns>Whether it is not left out.</returns>
    /// <exception cref="QueryException">A value is not what a stage can take, as in a query.</exception>
    /// <exception cref="ArgumentNullException">There is no row.</exception>
    public bool TryTransform(TRow row, out TResult result)
    {
        if (row is null) throw new ArgumentNullException(nameof(row));
        RowRun<TRow>? run = Take();
        try
        {
            var batch = run.Run(new ReadOnlySpan<TRow>(in row));
            var isThere = batch.Alive > 0;
            result = isThere ? _mapper.Map(batch)[0] : default!;
            GiveBack(ref run);
            return isThere;
        }
        finally
        {
            run?.Dispose();
        }
    }

    /// <summary>Transforms rows, in order. Those that a stage leaves out are missing.</summary>
    /// <param name="rows">The rows.</param>
    /// <exception cref="QueryException">A value is not what a stage can take, as in a query.</exception>
    /// <exception cref="ArgumentException">One of them is null.</exception>
    public TResult[] TransformAll(ReadOnlySpan<TRow> rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i] is null) throw new ArgumentException($"Row {i} of {rows.Length} is null. Leave it out.", nameof(rows));
        }
        RowRun<TRow>? run = Take();
        try
        {
            var results = new List<TResult>(rows.Length);
            for (; rows.Length > 0; rows = rows[Math.Min(rows.Length, ColumnBatch.MaxRows)..])
            {
                var batch = run.Run(rows[..Math.Min(rows.Length, ColumnBatch.MaxRows)]);
                if (batch.Alive > 0) results.AddRange(_mapper.Map(batch));
            }
            GiveBack(ref run);
            return [.. results];
        }
        finally
        {
            run?.Dispose();
        }
    }

    /// <summary>Gives its memory back. Calls that are still running end as usual; later ones throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out var run)) run.Dispose();
    }

    private RowRun<TRow> Take()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _idle.TryTake(out var run) ? run : new RowRun<TRow>(_plan);
    }

    // One that threw is not given back: it may have taken the size of its vectors from a row that was wrong.
    private void GiveBack(ref RowRun<TRow>? run)
    {
        _idle.Add(run!);
        run = null;
        if (_isDisposed) Dispose();
    }

    private static IReadOnlyList<string> Wanted(Schema schema, string[] columns)
    {
        const string Prediction = "prediction";
        if (columns.Length > 0) return columns;
        if (ClrTypes.Find(typeof(TResult)) is not null)
        {
            return schema.IndexOf(Prediction) >= 0 ? [Prediction] : throw new ArgumentException(
                $"There is no column '{Prediction}' to make a {typeof(TResult).Name} of. Name one: {string.Join(", ", schema.Select(field => field.Name))}.");
        }
        _ = RecordMapper<TResult>.For(schema);
        var members = typeof(TResult).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name)
            .Concat(typeof(TResult).GetConstructors().SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.Name!))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        string[] wanted = [.. schema.Select(field => field.Name).Where(members.Contains)];
        return wanted.Length > 0 ? wanted : [.. schema.Select(field => field.Name)];
    }
}
