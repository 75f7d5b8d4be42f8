using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.NeighborGraphs;

/// <summary>
/// Product quantisation (Jegou, Douze and Schmid 2011, section 3): what is left of a row beside its list's centre, cut into parts of equally many features, each part as the
/// number of the nearest of 256 trained ones.
/// </summary>
internal sealed unsafe class ProductCodes
{
    private const int Codewords = 256;

    // parts x features of a part x 256: sixteen codewords are compared at once.
    private readonly float[] _byFeature;

    private ProductCodes(int features, int parts, float[] codebooks, byte[] codes)
    {
        Features = features;
        Parts = parts;
        PartFeatures = (features + parts - 1) / parts;
        Codebooks = codebooks;
        Codes = codes;
        _byFeature = new float[codebooks.Length];
        for (var part = 0; part < parts; part++)
        {
            var book = part * Codewords * PartFeatures;
            for (var word = 0; word < Codewords; word++)
            {
                for (var i = 0; i < PartFeatures && book + (word * PartFeatures) + i < codebooks.Length; i++) _byFeature[book + (i * Codewords) + word] = codebooks[book + (word * PartFeatures) + i];
            }
        }
    }

    public int Features { get; }

    /// <summary>Bytes of a row.</summary>
    public int Parts { get; }

    public int PartFeatures { get; }

    /// <summary>parts x 256 x features of a part; shorter parts are filled up with zeros.</summary>
    public float[] Codebooks { get; }

    /// <summary>rows x parts, in the order of the lists.</summary>
    public byte[] Codes { get; }

    public static ProductCodes Read(int features, int parts, float[] codebooks, byte[] codes)
    {
        var made = new ProductCodes(features, parts, codebooks, codes);
        if (parts < 1 || codebooks.Length != parts * Codewords * made.PartFeatures) throw new InvalidDataException($"Codebooks of {codebooks.Length} values do not fit {parts} parts of {features} features.");
        return made;
    }

    /// <summary>Trains codebooks on residuals and codes them.</summary>
    public static ProductCodes Train(float[] residuals, int features, int parts, int threads)
    {
        var rows = residuals.Length / features;
        var width = (features + parts - 1) / parts;
        var codebooks = new float[parts * Codewords * width];
        for (var part = 0; part < parts; part++)
        {
            var trained = CenterTraining.Train(PartOf(residuals, rows, features, part, parts, width), width, Codewords, threads);
            trained.CopyTo(codebooks, part * Codewords * width);
            // Codewords that there were not rows enough for repeat the first, which is found before them.
            for (var i = trained.Length; i < Codewords * width; i++) codebooks[(part * Codewords * width) + i] = trained[i % width];
        }
        var made = new ProductCodes(features, parts, codebooks, []);
        return new ProductCodes(features, parts, codebooks, made.Encode(residuals, threads));
    }

    /// <summary>Codes of residuals.</summary>
    public byte[] Encode(float[] residuals, int threads)
    {
        var rows = residuals.Length / Features;
        var codes = new byte[rows * Parts];
        for (var part = 0; part < Parts && rows > 0; part++)
        {
            var book = Codebooks[(part * Codewords * PartFeatures)..((part + 1) * Codewords * PartFeatures)];
            var nearest = CenterTraining.Assign(PartOf(residuals, rows, Features, part, Parts, PartFeatures), book, PartFeatures, threads, out _);
            for (var r = 0; r < rows; r++) codes[(r * Parts) + part] = (byte)nearest[r];
        }
        return codes;
    }

    public ProductCodes With(byte[] codes) => new(Features, Parts, Codebooks, codes);

    /// <summary>Distances of a query's residual from each codeword of each part, or negative inner products of the query with them.</summary>
    /// <param name="table">parts x 256.</param>
    public void Tabulate(ReadOnlySpan<float> residual, bool isProduct, Span<float> table)
    {
        fixed (float* books = _byFeature, values = residual, entries = table)
        {
            for (var part = 0; part < Parts; part++)
            {
                var first = FirstOf(part, Features, Parts);
                Tabulate(books + ((long)part * Codewords * PartFeatures), values + first, FirstOf(part + 1, Features, Parts) - first, isProduct, entries + (part * Codewords));
            }
        }
    }

    /// <summary>Asymmetric distances of coded rows: a sum of table entries each.</summary>
    public void Sum(float* table, byte* codes, int rows, float start, float* sums)
    {
        for (var r = 0; r < rows; r++, codes += Parts)
        {
            float a = start, b = 0, c = 0, d = 0;
            var part = 0;
            for (; part <= Parts - 4; part += 4)
            {
                var entry = table + (part * Codewords);
                a += entry[codes[part]];
                b += entry[Codewords + codes[part + 1]];
                c += entry[(2 * Codewords) + codes[part + 2]];
                d += entry[(3 * Codewords) + codes[part + 3]];
            }
            for (; part < Parts; part++) a += table[(part * Codewords) + codes[part]];
            sums[r] = a + b + (c + d);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Tabulate(float* book, float* values, int width, bool isProduct, float* table)
    {
        for (var word = 0; word < Codewords; word += 16)
        {
            Vector512<float> sums = default;
            for (var i = 0; i < width; i++)
            {
                var codewords = Vector512.Load(book + (i * Codewords) + word);
                var value = Vector512.Create(values[i]);
                var difference = value - codewords;
                sums += isProduct ? -value * codewords : difference * difference;
            }
            sums.Store(table + word);
        }
    }

    /// <summary>First feature of a part.</summary>
    private static int FirstOf(int part, int features, int parts) => (int)((long)features * part / parts);

    private static float[] PartOf(float[] residuals, int rows, int features, int part, int parts, int width)
    {
        var values = new float[rows * width];
        var first = FirstOf(part, features, parts);
        var count = FirstOf(part + 1, features, parts) - first;
        for (var r = 0; r < rows; r++) residuals.AsSpan((r * features) + first, count).CopyTo(values.AsSpan(r * width));
        return values;
    }
}
