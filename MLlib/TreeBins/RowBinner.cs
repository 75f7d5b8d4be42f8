using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.TreeBins;

/// <summary>Turns values into bins, a few hundred rows of a feature at a time. Safe to share between threads.</summary>
/// <remarks>A value is compared with 16 bounds at once, twice: first with the last bound of each sixteen, then with the sixteen it fell into.</remarks>
internal sealed unsafe class RowBinner
{
    private const int StepRows = 512;
    private const int TableBounds = 256;
    private readonly BinLayout layout;
    private readonly float[]?[] singles;
    private readonly double[]?[] doubles;

    public RowBinner(BinLayout layout)
    {
        this.layout = layout;
        singles = new float[layout.Features][];
        doubles = new double[layout.Features][];
        for (var feature = 0; feature < layout.Features; feature++)
        {
            var mapper = layout.Mappers[feature];
            if (mapper.IsCategorical) continue;
            if (mapper.Bounds.Length >= TableBounds)
            {
                doubles[feature] = WideTable(mapper.Bounds);
                continue;
            }
            singles[feature] = Table(mapper.Bounds, LargestSingle, float.PositiveInfinity);
            doubles[feature] = Table(mapper.Bounds, bound => bound, double.PositiveInfinity);
        }
    }

    /// <summary>Bins rows of a block.</summary>
    /// <param name="block">Where the values are.</param>
    /// <param name="first">The first row in the block.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="target">Where the bins go.</param>
    /// <param name="local">The first row there.</param>
    /// <param name="missing">By feature: counts missing values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Bin(RowSource block, int first, int count, BinnedRows target, int local, long[] missing)
    {
        if (layout.IsWide) Bin<ushort>(block, first, count, target, local, missing);
        else Bin<byte>(block, first, count, target, local, missing);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Bin<TNumber>(RowSource block, int first, int count, BinnedRows target, int local, long[] missing)
        where TNumber : unmanaged, IBinaryInteger<TNumber>
    {
        var values = stackalloc byte[StepRows * sizeof(double)];
        var bins = stackalloc int[StepRows];
        var numbers = stackalloc TNumber[StepRows];
        var (rowBytes, panelColumns) = (target.RowBytes, target.PanelColumns);
        for (var start = 0; start < count; start += StepRows)
        {
            var rows = Math.Min(StepRows, count - start);
            for (var column = 0; column < layout.Columns; column++)
            {
                var features = layout.FeaturesOf[column];
                for (var part = 0; part < features.Length; part++)
                {
                    var feature = features[part];
                    missing[feature] += BinFeature(block, feature, first + start, rows, values, bins);
                    var multiplier = layout.MultiplierOf[feature];
                    if (part == 0)
                    {
                        for (var i = 0; i < rows; i++) numbers[i] = TNumber.CreateTruncating(bins[i]);
                    }
                    else
                    {
                        for (var i = 0; i < rows; i++) numbers[i] += TNumber.CreateTruncating(bins[i] * multiplier);
                    }
                }
                var place = target.Panel(column / panelColumns) + ((long)(local + start) * rowBytes) + (column % panelColumns * sizeof(TNumber));
                for (var i = 0; i < rows; i++, place += rowBytes) *(TNumber*)place = numbers[i];
                var copy = target.Column(column);
                if (copy.IsTogether) new ReadOnlySpan<TNumber>(numbers, rows).CopyTo(new Span<TNumber>((TNumber*)copy.First + local + start, rows));
            }
        }
    }

    private long BinFeature(RowSource block, int feature, int first, int rows, byte* values, int* bins)
    {
        var mapper = layout.Mappers[feature];
        var missingBin = mapper.MissingBin;
        if (!mapper.IsCategorical && block.IsSingle(feature) && singles[feature] is { } single)
        {
            block.Read(feature, first, new Span<float>(values, rows));
            fixed (float* table = single) Search((float*)values, rows, table, missingBin, bins);
        }
        else
        {
            block.Read(feature, first, new Span<double>(values, rows));
            if (doubles[feature] is { } table1)
            {
                fixed (double* table = table1)
                {
                    if (mapper.Bounds.Length < TableBounds) Search((double*)values, rows, table, missingBin, bins);
                    else SearchWide((double*)values, rows, table, table1.Length + 1, missingBin, bins);
                }
            }
            else
            {
                for (var i = 0; i < rows; i++) bins[i] = mapper.BinOf(((double*)values)[i]);
            }
        }
        long missing = 0;
        for (var i = 0; i < rows; i++) missing += bins[i] == missingBin ? 1 : 0;
        return missing;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Search(float* values, int rows, float* table, int missingBin, int* bins)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            var coarse = Vector512.Load(table + TableBounds);
            for (var i = 0; i < rows; i++)
            {
                var value = values[i];
                var wide = Vector512.Create(value);
                var group = BitOperations.PopCount((uint)Vector512.LessThan(coarse, wide).ExtractMostSignificantBits()) * 16;
                var bin = group + BitOperations.PopCount((uint)Vector512.LessThan(Vector512.Load(table + group), wide).ExtractMostSignificantBits());
                bins[i] = float.IsNaN(value) ? missingBin : bin;
            }
            return;
        }
        for (var i = 0; i < rows; i++)
        {
            var value = values[i];
            var bin = 0;
            for (var step = TableBounds / 2; step > 0; step >>= 1) bin += table[bin + step - 1] < value ? step : 0;
            bins[i] = float.IsNaN(value) ? missingBin : bin;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Search(double* values, int rows, double* table, int missingBin, int* bins)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<double> coarse0 = Vector512.Load(table + TableBounds), coarse1 = Vector512.Load(table + TableBounds + 8);
            for (var i = 0; i < rows; i++)
            {
                var value = values[i];
                var wide = Vector512.Create(value);
                var group = (BitOperations.PopCount((uint)Vector512.LessThan(coarse0, wide).ExtractMostSignificantBits())
                    + BitOperations.PopCount((uint)Vector512.LessThan(coarse1, wide).ExtractMostSignificantBits())) * 16;
                var bin = group + BitOperations.PopCount((uint)Vector512.LessThan(Vector512.Load(table + group), wide).ExtractMostSignificantBits())
                    + BitOperations.PopCount((uint)Vector512.LessThan(Vector512.Load(table + group + 8), wide).ExtractMostSignificantBits());
                bins[i] = double.IsNaN(value) ? missingBin : bin;
            }
            return;
        }
        for (var i = 0; i < rows; i++)
        {
            var value = values[i];
            var bin = 0;
            for (var step = TableBounds / 2; step > 0; step >>= 1) bin += table[bin + step - 1] < value ? step : 0;
            bins[i] = double.IsNaN(value) ? missingBin : bin;
        }
    }

    /// <summary>Any number of bounds: halves, of four values at once, since each step waits for the one before it. Without branches, half of which would be
    /// guessed wrong: a condition is the number 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SearchWide(double* values, int rows, double* table, int size, int missingBin, int* bins)
    {
        var i = 0;
        for (; i + 4 <= rows; i += 4)
        {
            double value0 = values[i], value1 = values[i + 1], value2 = values[i + 2], value3 = values[i + 3];
            nint bin0 = 0, bin1 = 0, bin2 = 0, bin3 = 0;
            for (nint step = size / 2; step > 0; step >>= 1)
            {
                var last = table + step - 1;
                bin0 += step & -(nint)Unsafe.BitCast<bool, byte>(last[bin0] < value0);
                bin1 += step & -(nint)Unsafe.BitCast<bool, byte>(last[bin1] < value1);
                bin2 += step & -(nint)Unsafe.BitCast<bool, byte>(last[bin2] < value2);
                bin3 += step & -(nint)Unsafe.BitCast<bool, byte>(last[bin3] < value3);
            }
            bins[i] = double.IsNaN(value0) ? missingBin : (int)bin0;
            bins[i + 1] = double.IsNaN(value1) ? missingBin : (int)bin1;
            bins[i + 2] = double.IsNaN(value2) ? missingBin : (int)bin2;
            bins[i + 3] = double.IsNaN(value3) ? missingBin : (int)bin3;
        }
        for (; i < rows; i++)
        {
            nint bin = 0;
            for (nint step = size / 2; step > 0; step >>= 1) bin += table[bin + step - 1] < values[i] ? step : 0;
            bins[i] = double.IsNaN(values[i]) ? missingBin : (int)bin;
        }
    }

    /// <summary>One bound less than a power of two, those that are not there infinite.</summary>
    private static double[] WideTable(double[] bounds)
    {
        var table = new double[BitOperations.RoundUpToPowerOf2((uint)bounds.Length + 1) - 1];
        Array.Fill(table, double.PositiveInfinity);
        bounds.CopyTo(table, 0);
        return table;
    }

    /// <summary>256 bounds, those that are not there infinite, and behind them every sixteenth.</summary>
    private static T[] Table<T>(double[] bounds, Func<double, T> convert, T last)
    {
        var table = new T[TableBounds + 16];
        Array.Fill(table, last);
        for (var i = 0; i < bounds.Length; i++) table[i] = convert(bounds[i]);
        for (var i = 0; i < 16; i++) table[TableBounds + i] = table[(i * 16) + 15];
        return table;
    }

    /// <summary>The largest single that is not above a bound: a single passes the one where it passes the other.</summary>
    private static float LargestSingle(double bound)
    {
        var single = (float)bound;
        return single > bound ? MathF.BitDecrement(single) : single;
    }
}
