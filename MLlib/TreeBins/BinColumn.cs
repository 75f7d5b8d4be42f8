namespace Dataflow.MLlib.TreeBins;

/// <summary>Where the numbers of a column lie, for loops over rows: the number of row i is <paramref name="stride"/> * i bytes behind the first.</summary>
/// <param name="first">The number of row 0.</param>
/// <param name="stride">Bytes from row to row.</param>
/// <param name="isWide">Whether numbers take two bytes.</param>
internal readonly unsafe struct BinColumn(byte* first, int stride, bool isWide)
{
    public byte* First { get; } = first;

    public int Stride { get; } = stride;

    public bool IsWide { get; } = isWide;

    /// <summary>Whether the numbers of all rows follow each other.</summary>
    public bool IsTogether => Stride == (IsWide ? 2 : 1);

    /// <summary>The number of a row.</summary>
    public int this[int row] => IsWide ? *(ushort*)(First + ((long)row * Stride)) : First[(long)row * Stride];
}
