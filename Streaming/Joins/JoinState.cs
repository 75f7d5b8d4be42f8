using Dataflow.Streaming.State;
using Dataflow.Tasks;

namespace Dataflow.Streaming.Joins;

/// <summary>The rows of both sides of a join, of one partition, that may still find a match; or must still be given without one.</summary>
internal sealed class JoinState(StateLayout left, StateLayout right) : PartitionState
{
    /// <summary>Rows of the left side; those that found a match are marked.</summary>
    public StateTable Left { get; } = new(left);

    /// <summary>Rows of the right side, as those of the left.</summary>
    public StateTable Right { get; } = new(right);

    public override long Count => Left.Count + Right.Count;

    public override bool HasChanged => Left.HasChanged || Right.HasChanged;

    public override bool IsSparse => Left.IsSparse || Right.IsSparse;

    public static JoinState Load(StateLayout left, StateLayout right, string folder, string[] chain, TaskContext context)
    {
        var state = new JoinState(left, right);
        StateTable.Load([state.Left, state.Right], folder, chain, context, state);
        return state;
    }

    public override void Begin()
    {
        Left.Begin();
        Right.Begin();
    }

    public override void Write(StateFile.Writer file, bool all, TaskContext context)
    {
        Left.Write(file, 0, all, context);
        Right.Write(file, 1, all, context);
    }

    public override void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
    }
}
