namespace Dataflow.MLlib.Data;

/// <summary>A <see cref="RowScorer"/> that can leave out zeros: scoring wide rows of mostly zeros then costs what is stored. It must give the bits that whole rows give.</summary>
internal interface ISparseScorer
{
    /// <summary>Whether it can, as it is set up.</summary>
    bool TakesSparse { get; }

    /// <summary>Computes rows.</summary>
    /// <param name="rows">Rows without zeros.</param>
    /// <param name="output">rows x output width.</param>
    void Score(SparseRows rows, Span<double> output);
}
