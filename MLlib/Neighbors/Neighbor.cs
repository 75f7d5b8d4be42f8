namespace Dataflow.MLlib;

/// <summary>A row that was found.</summary>
/// <param name="Id">Its id: of the id column, or else its number in the frame that was fitted.</param>
/// <param name="Distance">How far it is from the query.</param>
public readonly record struct Neighbor(long Id, double Distance);
