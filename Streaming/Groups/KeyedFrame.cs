using Dataflow.Closures;
using Dataflow.Serialization;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Records;
using Dataflow.Streaming.Execution;
using Dataflow.Streaming.Groups;
using Dataflow.Streaming.Processors;

namespace Dataflow.Streaming;

/// <summary>Rows in groups by a key that the program computes: <c>frame.GroupByKey((Click click) => click.User)</c>. Verbs of it have state of the program's own, which in a stream goes on from batch to batch.</summary>
/// <remarks>
/// <para>Functions of a group are called at most once a batch with its rows, in the order in which they were read as far as that is one, and only for groups that have rows, or
/// whose time has come. Groups of a partition are seen to one after the other. A batch may run again, from the same state and rows: functions must then do the same, so they use
/// the times that they are given, and no clock, chance or outside world.</para>
/// <para>In a frame that is no stream all rows are one batch: state begins empty, and no time ever comes.</para>
/// </remarks>
/// <typeparam name="TKey">The key: a plain value, a tuple or a record of plain values.</typeparam>
/// <typeparam name="TRow">What rows become, as in <see cref="DataFrame.Collect{T}()"/>.</typeparam>
public sealed class KeyedFrame<TKey, TRow>
{
    private readonly DataFrame _frame;
    private readonly Func<TRow, TKey> _key;

    internal KeyedFrame(DataFrame frame, Func<TRow, TKey> key)
    {
        _ = RecordMapper<TRow>.For(frame.Schema);
        _ = RecordMapper<TKey>.For(RecordShape<TKey>.Find().Schema);
        (_frame, _key) = (Needed(frame), key);
    }

    /// <summary>Calls a function for each group of a batch, which gives any number of rows and may keep a value until the group's next batch.</summary>
    /// <remarks>Lazy, wide. In a stream of append and update mode; what it gives is not changed by later batches, whatever the mode.</remarks>
    /// <typeparam name="TState">What is kept: a record, a class, a collection or a plain value.</typeparam>
    /// <typeparam name="TOut">The rows that it gives: a record, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="options">When it is called for groups without rows.</param>
    /// <param name="function">Given the key, the rows, which can be gone through once, and what is kept.</param>
    /// <exception cref="QueryException"><typeparamref name="TOut"/> has a member that SQL has no type for.</exception>
    /// <exception cref="CodecException"><typeparamref name="TState"/> can't be kept; says which member.</exception>
    public DataFrame FlatMapGroupsWithState<TState, TOut>(GroupStateOptions options, [RunsInTasks] Func<TKey, IEnumerable<TRow>, GroupState<TState>, IEnumerable<TOut>> function)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(function);
        ClosureGuard.Check(function, nameof(FlatMapGroupsWithState));
        return With(new FlatMapProgram<TKey, TRow, TState, TOut>(function, options.Timeout));
    }

    /// <inheritdoc cref="FlatMapGroupsWithState{TState, TOut}(GroupStateOptions, Func{TKey, IEnumerable{TRow}, GroupState{TState}, IEnumerable{TOut}})"/>
    public DataFrame FlatMapGroupsWithState<TState, TOut>([RunsInTasks] Func<TKey, IEnumerable<TRow>, GroupState<TState>, IEnumerable<TOut>> function) => FlatMapGroupsWithState(new GroupStateOptions(), function);

    /// <summary>Calls a function for each group of a batch, which gives one row, the group's value from then on, and may keep a value until the group's next batch.</summary>
    /// <remarks>Lazy, wide. In a stream of update mode only.</remarks>
    /// <typeparam name="TState">What is kept: a record, a class, a collection or a plain value.</typeparam>
    /// <typeparam name="TOut">The row that it gives: a record, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="options">When it is called for groups without rows.</param>
    /// <param name="function">Given the key, the rows, which can be gone through once, and what is kept.</param>
    /// <exception cref="QueryException"><typeparamref name="TOut"/> has a member that SQL has no type for.</exception>
    /// <exception cref="CodecException"><typeparamref name="TState"/> can't be kept; says which member.</exception>
    public DataFrame MapGroupsWithState<TState, TOut>(GroupStateOptions options, [RunsInTasks] Func<TKey, IEnumerable<TRow>, GroupState<TState>, TOut> function)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(function);
        ClosureGuard.Check(function, nameof(MapGroupsWithState));
        return With(new MapProgram<TKey, TRow, TState, TOut>(function, options.Timeout));
    }

    /// <inheritdoc cref="MapGroupsWithState{TState, TOut}(GroupStateOptions, Func{TKey, IEnumerable{TRow}, GroupState{TState}, TOut})"/>
    public DataFrame MapGroupsWithState<TState, TOut>([RunsInTasks] Func<TKey, IEnumerable<TRow>, GroupState<TState>, TOut> function) => MapGroupsWithState(new GroupStateOptions(), function);

    /// <summary>Has groups seen to by objects that keep values, lists and maps by name, and have timers.</summary>
    /// <remarks>Lazy, wide. In a stream of append and update mode; what it gives is not changed by later batches, whatever the mode.</remarks>
    /// <typeparam name="TOut">The rows that it gives: a record, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="makeProcessor">Makes a new one: for each task, and now, for the driver to learn what it keeps.</param>
    /// <param name="options">What timers go by; null for none.</param>
    /// <exception cref="QueryException"><typeparamref name="TOut"/> has a member that SQL has no type for.</exception>
    /// <exception cref="CodecException">Something can't be kept; says which member.</exception>
    public DataFrame TransformWithState<TOut>([RunsInTasks] Func<StatefulProcessor<TKey, TRow, TOut>> makeProcessor, ProcessorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(makeProcessor);
        ClosureGuard.Check(makeProcessor, nameof(TransformWithState));
        return With(new ProcessorProgram<TKey, TRow, TOut>(makeProcessor, (options ?? new ProcessorOptions()).Timers));
    }

    /// <summary>Has groups seen to by objects that keep values, lists and maps by name, and have timers; some groups begin with rows of another frame.</summary>
    /// <remarks>As without such a frame, which is read in the first batch of a query: if that runs again it must give the same rows.</remarks>
    /// <typeparam name="TInitial">A row that groups begin with.</typeparam>
    /// <typeparam name="TOut">The rows that it gives: a record, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
    /// <param name="makeProcessor">Makes a new one: for each task, and now, for the driver to learn what it keeps.</param>
    /// <param name="initial">The rows that groups begin with: of a frame that is no stream.</param>
    /// <param name="options">What timers go by; null for none.</param>
    /// <exception cref="QueryException"><typeparamref name="TOut"/> has a member that SQL has no type for.</exception>
    /// <exception cref="CodecException">Something can't be kept; says which member.</exception>
    public DataFrame TransformWithState<TInitial, TOut>(
        [RunsInTasks] Func<StatefulProcessor<TKey, TRow, TOut, TInitial>> makeProcessor, KeyedFrame<TKey, TInitial> initial, ProcessorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(makeProcessor);
        ClosureGuard.Check(makeProcessor, nameof(TransformWithState));
        ArgumentNullException.ThrowIfNull(initial);
        var program = new ProcessorProgram<TKey, TRow, TOut>(makeProcessor, (options ?? new ProcessorOptions()).Timers);
        return With(program, new InitialGroups<TKey, TInitial>(initial._frame.Schema, initial._key), initial._frame.Plan);
    }

    // Columns that rows have no place for are not read. Times stay: they say which rows come too late.
    private static DataFrame Needed(DataFrame frame)
    {
        if (frame.Schema.Count == 1 || typeof(TRow).IsAssignableTo(typeof(System.Runtime.CompilerServices.ITuple))) return frame;
        var members = typeof(TRow).GetConstructors().SelectMany(each => each.GetParameters()).Select(parameter => parameter.Name)
            .Concat(typeof(TRow).GetProperties().Select(property => property.Name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        NamedExpression[] kept = [.. frame.Plan.Output.Where(column => members.Contains(column.Name) || column.Type.Kind is TypeKind.Timestamp or TypeKind.TimestampNtz).Select(NamedExpression.Pass)];
        return kept.Length == frame.Plan.Output.Count || kept.Length == 0 ? frame : new DataFrame(frame.Session, new Project([.. kept], frame.Plan), frame.Text);
    }

    private DataFrame With<TOut>(GroupProgram<TKey, TRow, TOut> program, InitialGroups<TKey>? beginnings = null, LogicalPlan? initial = null)
    {
        var work = new GroupWork<TKey, TRow, TOut>(_frame.Schema, _key, program, beginnings);

        // What can't be kept is said here and not in a task.
        _ = work.Shape;
        StreamingStrategy.AddTo(_frame.Session);
        ValueList<ColumnReference> columns = [.. work.OutSchema.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable))];
        return new DataFrame(_frame.Session, new FoldGroups(work, _frame.Plan.Output, columns, _frame.Plan) { Initial = initial, InitialRows = initial?.Output ?? [] }, _frame.Text);
    }
}

/// <summary>Groups by a key of the program.</summary>
public static class GroupExtensions
{
    extension(DataFrame frame)
    {
        /// <summary>Groups rows by a key that the program computes: <c>frame.GroupByKey((Click click) => click.User)</c>.</summary>
        /// <remarks>Lazy, wide: rows become objects for the function, and are placed by their key.</remarks>
        /// <typeparam name="TKey">The key: a plain value, a tuple or a record of plain values.</typeparam>
        /// <typeparam name="TRow">What rows become, as in <see cref="DataFrame.Collect{T}()"/>.</typeparam>
        /// <param name="key">The key of a row.</param>
        /// <exception cref="QueryException">Rows can't become a <typeparamref name="TRow"/>, or <typeparamref name="TKey"/> can't be columns; says why.</exception>
        public KeyedFrame<TKey, TRow> GroupByKey<TKey, TRow>([RunsInTasks] Func<TRow, TKey> key)
        {
            ArgumentNullException.ThrowIfNull(key);
            ClosureGuard.Check(key, nameof(GroupByKey));
            return new KeyedFrame<TKey, TRow>(frame, key);
        }
    }
}
