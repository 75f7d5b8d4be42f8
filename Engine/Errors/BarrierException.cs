namespace Dataflow;

/// <summary>The tasks of a barrier stage could not meet: one ended early or made another call, or the time was up. The message says which.</summary>
/// <remarks>The whole stage is run again, up to <see cref="DataflowOptions.StageMaxAttempts"/> times. Later calls of the same attempt fail alike.</remarks>
public sealed class BarrierException : DataflowException
{
    internal BarrierException(string message) : base(message) { }
}
