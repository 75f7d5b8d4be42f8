namespace Dataflow.Fusion;

/// <summary>An Rdd whose partition i is computed element by element from partition i of one parent, so that runs of them can be fused.</summary>
internal interface INarrowOperator
{
    /// <summary>What it reads.</summary>
    Rdd Parent { get; }

    /// <summary>What it does with each element.</summary>
    NarrowOperation Operation { get; }

    /// <summary>Whether keys stay as they are, so that the parent's placement still holds.</summary>
    bool KeepsPartitioner { get; }
}
