using Dataflow.Sql.Kernels;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Records;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Processors;
using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Groups;

/// <summary>Groups of rows by a key of the program, and what is done with them. Knows the types that plans do not.</summary>
internal abstract class GroupWork
{
    /// <summary>The columns of the key.</summary>
    public abstract Schema KeySchema { get; }

    /// <summary>The columns that come of it.</summary>
    public abstract Schema OutSchema { get; }

    /// <inheritdoc cref="GroupProgram{TKey, TRow, TOut}.Verb"/>
    public abstract string Verb { get; }

    /// <inheritdoc cref="GroupProgram{TKey, TRow, TOut}.Timeout"/>
    public abstract GroupTimeout Timeout { get; }

    /// <inheritdoc cref="GroupProgram{TKey, TRow, TOut}.GivesUpdates"/>
    public abstract bool GivesUpdates { get; }

    /// <inheritdoc cref="GroupProgram{TKey, TRow, TOut}.Shape"/>
    public abstract string Shape { get; }

    /// <summary>Puts the key in front of the columns of rows.</summary>
    public abstract BatchReader OpenKeys(BatchReader input, int[] columns, LateFilter? late, TaskContext context);

    /// <summary>Puts the key in front of the columns of rows that groups begin with.</summary>
    public abstract BatchReader OpenInitialKeys(BatchReader input, int[] columns, TaskContext context);

    /// <summary>Calls the functions for rows that come ordered by key.</summary>
    /// <param name="input">The key, then the columns of rows.</param>
    /// <param name="initial">The key, then the columns of rows that groups begin with; null where they do not.</param>
    /// <param name="batch">The batch; null where it is no stream.</param>
    /// <param name="clock">Its times.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="context">The task.</param>
    public abstract BatchReader OpenGroups(BatchReader input, BatchReader? initial, StateBatch? batch, GroupClock clock, int partition, TaskContext context);
}

/// <summary>Which rows come too late.</summary>
/// <param name="Column">Where their time is.</param>
/// <param name="Before">Microseconds: earlier ones do.</param>
/// <param name="Count">Where they are counted.</param>
internal sealed record LateFilter(int Column, long Before, Counter Count);

/// <inheritdoc cref="GroupWork"/>
internal sealed class GroupWork<TKey, TRow, TOut>(Schema rows, Func<TRow, TKey> key, GroupProgram<TKey, TRow, TOut> program, InitialGroups<TKey>? beginnings = null) : GroupWork
{
    public override Schema KeySchema => RecordShape<TKey>.Find().Schema;

    public override Schema OutSchema => RecordShape<TOut>.Find().Schema;

    public override string Verb => program.Verb;

    public override GroupTimeout Timeout => program.Timeout;

    public override bool GivesUpdates => program.GivesUpdates;

    public override string Shape => program.Shape;

    public override BatchReader OpenKeys(BatchReader input, int[] columns, LateFilter? late, TaskContext context) => new KeyedReader<TKey, TRow>(input, columns, rows, key, program.Verb, late, context);

    public override BatchReader OpenGroups(BatchReader input, BatchReader? initial, StateBatch? batch, GroupClock clock, int partition, TaskContext context) =>
        new GroupReader<TKey, TRow, TOut>(program, new GroupCursor<TKey, TRow>(input, rows, context), initial is null ? null : beginnings!.Open(initial, context), batch, clock, partition, context);

    public override BatchReader OpenInitialKeys(BatchReader input, int[] columns, TaskContext context) => beginnings!.OpenKeys(input, columns, program.Verb, context);
}
