using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// The crowns of all trees for a single row: 16 trees lie side by side in the lanes of vectors, step i holding node i of each, and the row's values are picked from
/// two registers. For plain comparisons of up to 32 features on machines with AVX-512; elsewhere <see cref="RowWalk"/> does it all.
/// </summary>
/// <remarks>
/// Values are cut down to floats and compared with thresholds that are cut down likewise. A value that lost digits and then equals a threshold is not decided by that;
/// such rows, and rows with missing values, are left to the walk. What is found is the same leaf either way.
/// </remarks>
internal sealed unsafe class RowCrowns
{
    /// <summary>Most features that are asked at all.</summary>
    public const int MostFeatures = 32;

    private const int Lanes = 16;
    private const int MostExits = 32;

    private readonly int _groups;
    private readonly int[] _steps;
    private readonly byte[] _places;
    private readonly float[] _thresholds;
    private readonly uint[] _keeps;
    private readonly int[] _exits;

    private RowCrowns(CompiledTrees trees)
    {
        _groups = (trees.TreeCount + Lanes - 1) / Lanes;
        _steps = new int[_groups];
        for (var t = 0; t < trees.TreeCount; t++) _steps[t / Lanes] = Math.Max(_steps[t / Lanes], trees.Crowns[t].Thresholds.Length);
        var all = _steps.Sum() * Lanes;
        _places = new byte[all];
        _thresholds = new float[all];
        _keeps = new uint[all];
        _exits = new int[_groups * Lanes * MostExits];

        // Steps that a tree does not have change nothing.
        Array.Fill(_thresholds, float.PositiveInfinity);
        Array.Fill(_keeps, uint.MaxValue);
        var first = 0;
        for (var group = 0; group < _groups; first += _steps[group++] * Lanes)
        {
            for (var lane = 0; lane < Math.Min(Lanes, trees.TreeCount - (group * Lanes)); lane++)
            {
                var t = (group * Lanes) + lane;
                var crown = trees.Crowns[t];
                for (var i = 0; i < crown.Thresholds.Length; i++)
                {
                    var at = first + (i * Lanes) + lane;
                    (_places[at], _thresholds[at], _keeps[at]) = ((byte)(crown.Places[i] / RowBlocks.Rows), crown.NarrowThresholds[i], crown.Keeps[i]);
                }
                crown.Exits.CopyTo(_exits, t * MostExits);
            }
        }
    }

    /// <summary>The crowns of an ensemble; null if it or this machine is not made for them.</summary>
    public static RowCrowns? Of(CompiledTrees trees) =>
        Avx512F.IsSupported && !trees.AnySpecial && trees.UsedFeatures.Length is > 0 and <= MostFeatures ? new RowCrowns(trees) : null;

    /// <summary>The exit of each tree's crown that the row takes, or false if these rules can't tell.</summary>
    /// <param name="row">32 values: the used features, then anything but NaN.</param>
    /// <param name="states">Takes one number a tree, in groups of 16: a node, or ~leaf.</param>
    public bool TryFind(double* row, int* states)
    {
        var (low, high) = (Vector512<float>.Zero, Vector512<float>.Zero);
        if (!Narrow(row, ref low, ref high, out var exact)) return false;
        var bits = stackalloc uint[Lanes];
        fixed (byte* places = _places)
        fixed (float* thresholds = _thresholds)
        fixed (uint* keeps = _keeps)
        fixed (int* exits = _exits, steps = _steps)
        {
            var at = 0;
            for (var group = 0; group < _groups; at += steps[group++] * Lanes)
            {
                if (exact) Decide(low, high, places + at, thresholds + at, keeps + at, steps[group], bits);
                else if (!DecideStrictly(low, high, places + at, thresholds + at, keeps + at, steps[group], bits)) return false;
                var first = group * Lanes;
                for (var lane = 0; lane < Lanes; lane++) states[first + lane] = exits[((first + lane) * MostExits) + BitOperations.TrailingZeroCount(bits[lane])];
            }
        }
        return true;
    }

    private static bool Narrow(double* row, ref Vector512<float> low, ref Vector512<float> high, out bool exact)
    {
        var (a, b, c, d) = (Vector512.Load(row), Vector512.Load(row + 8), Vector512.Load(row + 16), Vector512.Load(row + 24));
        var e = Avx512F.ConvertToVector256Single(a, FloatRoundingMode.ToNegativeInfinity);
        var f = Avx512F.ConvertToVector256Single(b, FloatRoundingMode.ToNegativeInfinity);
        var g = Avx512F.ConvertToVector256Single(c, FloatRoundingMode.ToNegativeInfinity);
        var h = Avx512F.ConvertToVector256Single(d, FloatRoundingMode.ToNegativeInfinity);
        low = Vector512.Create(e, f);
        high = Vector512.Create(g, h);
        var same = Vector512.Equals(Avx512F.ConvertToVector512Double(e), a) & Vector512.Equals(Avx512F.ConvertToVector512Double(f), b)
            & Vector512.Equals(Avx512F.ConvertToVector512Double(g), c) & Vector512.Equals(Avx512F.ConvertToVector512Double(h), d);
        exact = Vector512.EqualsAll(same.AsInt64(), Vector512<long>.AllBitsSet);
        return exact || Vector512.EqualsAll((Vector512.Equals(low, low) & Vector512.Equals(high, high)).AsInt32(), Vector512<int>.AllBitsSet);
    }

    private static void Decide(Vector512<float> low, Vector512<float> high, byte* places, float* thresholds, uint* keeps, int steps, uint* result)
    {
        var bits = Vector512<uint>.AllBitsSet;
        for (var end = thresholds + (steps * Lanes); thresholds < end; thresholds += Lanes, places += Lanes, keeps += Lanes)
        {
            var value = Avx512F.PermuteVar16x32x2(low, Avx512F.ConvertToVector512Int32(Vector128.Load(places)), high);
            bits = Vector512.ConditionalSelect(Vector512.GreaterThan(value, Vector512.Load(thresholds)).AsUInt32(), bits & Vector512.Load(keeps), bits);
        }
        bits.Store(result);
    }

    private static bool DecideStrictly(Vector512<float> low, Vector512<float> high, byte* places, float* thresholds, uint* keeps, int steps, uint* result)
    {
        var bits = Vector512<uint>.AllBitsSet;
        var undecided = Vector512<uint>.Zero;
        for (var end = thresholds + (steps * Lanes); thresholds < end; thresholds += Lanes, places += Lanes, keeps += Lanes)
        {
            var value = Avx512F.PermuteVar16x32x2(low, Avx512F.ConvertToVector512Int32(Vector128.Load(places)), high);
            var threshold = Vector512.Load(thresholds);
            undecided |= Vector512.Equals(value, threshold).AsUInt32();
            bits = Vector512.ConditionalSelect(Vector512.GreaterThan(value, threshold).AsUInt32(), bits & Vector512.Load(keeps), bits);
        }
        bits.Store(result);
        return undecided == Vector512<uint>.Zero;
    }
}
