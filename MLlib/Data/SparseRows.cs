namespace Dataflow.MLlib.Data;

/// <summary>Rows of mostly zeros: the numbers of row r are those from <c>Starts[r]</c> to before <c>Starts[r + 1]</c> (compressed sparse rows).</summary>
/// <param name="Starts">Where each row begins; one more than there are rows.</param>
/// <param name="Indices">Which feature each number is, ascending inside a row.</param>
/// <param name="Values">The numbers.</param>
internal sealed record SparseRows(int[] Starts, int[] Indices, double[] Values);
