using Dataflow.MLlib.NeighborKernels;

namespace Dataflow.MLlib.NeighborIndexes;

/// <summary>What is asked of an index.</summary>
/// <param name="K">How many rows a query at most.</param>
/// <param name="Bound">Largest key.</param>
/// <param name="Filter">Ids that count; null takes all.</param>
/// <param name="Threads">How many threads at most.</param>
/// <param name="Breadth">How far approximate indexes look: candidates of HNSW, lists of IVF. 0 is the index's own choice.</param>
internal readonly record struct SearchOptions(int K, double Bound = double.PositiveInfinity, Func<long, bool>? Filter = null, int Threads = 1, int Breadth = 0);
