namespace Dataflow.MLlib.TreeSplits;

/// <summary>A way to split a node, and how good it is.</summary>
internal struct SplitCandidate
{
    public static readonly SplitCandidate None = new() { Feature = -1, Gain = double.NegativeInfinity };

    /// <summary>How much lower the loss gets, by the second-order approximation.</summary>
    public double Gain;

    /// <summary>-1 if there is no split.</summary>
    public int Feature;

    /// <summary>Numeric: the last bin that goes left.</summary>
    public int Bin;

    /// <summary>Numeric: whether missing values go left.</summary>
    public bool MissingLeft;

    /// <summary>Categorical: the bins that go left, a bit each; null if numeric.</summary>
    public uint[]? LeftBins;

    /// <summary>L2 of the children's values besides that of the rules.</summary>
    public double ExtraL2;

    /// <summary>Sums of the left child, as in a histogram's cell.</summary>
    public long Left;

    public readonly bool Exists => Feature >= 0;

    /// <summary>Where a bin goes.</summary>
    public readonly bool GoesLeft(int bin, int missingBin)
    {
        if (LeftBins is not null) return (bin >> 5) < LeftBins.Length && (LeftBins[bin >> 5] >> (bin & 31) & 1) != 0;
        return bin == missingBin ? MissingLeft : bin <= Bin;
    }

    /// <summary>Whether this one is preferred: by gain, then by the feature's number, so that who searched what does not matter.</summary>
    public readonly bool IsBetterThan(in SplitCandidate other) =>
        Exists && (!other.Exists || Gain > other.Gain || (Gain == other.Gain && Feature < other.Feature));
}

/// <summary>What is known of a node before it is split.</summary>
internal struct NodeSums
{
    /// <summary>Sums of gradients and hessians, as in a histogram's cell.</summary>
    public long Total;

    /// <summary>Rows in all shards.</summary>
    public long Count;

    /// <summary>The least and the greatest value that monotone constraints leave to its leaves.</summary>
    public double Lower;
    public double Upper;
}
