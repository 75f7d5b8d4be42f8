namespace Dataflow.MLlib.NeighborKernels;

/// <summary>What sums of floats are compared with, so that no row is lost to their rounding.</summary>
internal static class FloatBounds
{
    private const double Unit = 1.0 / (1 << 24);

    /// <summary>Largest relative error of a float sum of as many terms that are not negative, or of an inner product relative to the lengths (Higham 2002, section 3.1).</summary>
    public static double ErrorOf(int features) => Unit * (features + 16) * 1.05;

    /// <summary>A float that no sum of terms passes whose exact value is at most <paramref name="key"/>.</summary>
    public static float Above(double key, int features) => Up(key * (1 + ErrorOf(features)), features);

    /// <summary>A float above, with what products of tiny numbers lose; infinite where float sums may have overflowed.</summary>
    public static float Up(double value, int features) =>
        value > 1e37 ? float.PositiveInfinity : MathF.BitIncrement((float)(value + ((features + 16) * (double)float.Epsilon)));
}
