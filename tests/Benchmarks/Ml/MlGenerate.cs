using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Dataflow.Benchmarks.Ml;

/// <summary>
/// <c>ml-gen --shape wide|long|missing|dense --out DIR [--rows N] [--features N] [--test N]</c>: data for learners as four arrays of NumPy, train_X, train_y, test_X and
/// test_y, that other tools read too. Columns that hold categories are named in <c>categorical.txt</c>.
/// </summary>
/// <remarks>A row is a function of its number and the seed, so rows are written in pieces and any size fits.</remarks>
internal static class MlGenerate
{
    /// <summary>The word that calls for it.</summary>
    public const string Verb = "ml-gen";

    private const int RowsOfPiece = 65_536;

    private static readonly Dictionary<string, Shape> Shapes = new(StringComparer.Ordinal)
    {
        ["wide"] = new(200_000, 300, 50_000, 0, 0),
        ["long"] = new(2_000_000, 8, 200_000, 0, 0),
        ["missing"] = new(100_000, 28, 50_000, 0.3, 6),
        ["dense"] = new(1_000_000, 28, 100_000, 0, 0),
    };

    /// <summary>What is made.</summary>
    /// <param name="Rows">Rows to train on.</param>
    /// <param name="Features">Columns.</param>
    /// <param name="Test">Rows to test on.</param>
    /// <param name="Missing">Which part of the values is NaN.</param>
    /// <param name="Categories">How many columns, the last ones, hold categories.</param>
    private sealed record Shape(int Rows, int Features, int Test, double Missing, int Categories);

    /// <summary>Runs it.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        Shape? shape = null;
        var (folder, rows, features, test) = ("", 0, 0, 0);
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var isUnderstood = arguments[i] switch
            {
                "--shape" => Shapes.TryGetValue(value, out shape),
                "--out" => (folder = value).Length > 0,
                "--rows" => int.TryParse(value, CultureInfo.InvariantCulture, out rows) && rows > 0,
                "--features" => int.TryParse(value, CultureInfo.InvariantCulture, out features) && features >= 8,
                "--test" => int.TryParse(value, CultureInfo.InvariantCulture, out test) && test > 0,
                _ => false,
            };
            if (!isUnderstood) return Usage($"'{arguments[i]} {value}' is not understood.");
        }
        if (shape is null || folder.Length == 0) return Usage("--shape and --out are needed.");
        shape = shape with { Rows = rows > 0 ? rows : shape.Rows, Features = features > 0 ? features : shape.Features, Test = test > 0 ? test : shape.Test };
        Directory.CreateDirectory(folder);
        Write(shape, Path.Combine(folder, "train"), 0, shape.Rows);
        Write(shape, Path.Combine(folder, "test"), shape.Rows, shape.Test);
        if (shape.Categories > 0) File.WriteAllText(Path.Combine(folder, "categorical.txt"), string.Join(',', Enumerable.Range(shape.Features - shape.Categories, shape.Categories)));
        Console.WriteLine($"{shape.Rows:N0} + {shape.Test:N0} rows x {shape.Features} in {folder}");
        return 0;
    }

    private static int Usage(string what)
    {
        Console.Error.WriteLine($"{what}\nusage: {Verb} --shape {string.Join('|', Shapes.Keys)} --out DIR [--rows N] [--features N (8 or more)] [--test N]");
        return 2;
    }

    private static void Write(Shape shape, string prefix, long start, int count)
    {
        using var values = File.Create(prefix + "_X.npy");
        using var labels = File.Create(prefix + "_y.npy");
        Header(values, "<f4", $"({count}, {shape.Features})");
        Header(labels, "|u1", $"({count},)");
        for (var first = 0; first < count; first += RowsOfPiece)
        {
            var rows = Math.Min(RowsOfPiece, count - first);
            var x = new float[rows * shape.Features];
            var y = new byte[rows];
            var begin = start + first;
            Parallel.For(0, rows, row => y[row] = Row(shape, begin + row, x.AsSpan(row * shape.Features, shape.Features)));
            values.Write(MemoryMarshal.AsBytes(x.AsSpan()));
            labels.Write(y);
        }
    }

    // Normal, log-normal and uniform columns, some of few values; the label depends on a dozen of them, on pairs, and on categories.
    private static byte Row(Shape shape, long number, Span<float> x)
    {
        var state = ((ulong)number * 0x9E3779B97F4A7C15) + 20_261_122;
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = i >= x.Length - shape.Categories
                ? (float)Math.Floor(Math.Pow(Uniform(ref state), 2) * (4 << (i % 6)))
                : (i % 7) switch
                {
                    3 => (float)Math.Exp(0.7 * Normal(ref state)),
                    4 => (float)Uniform(ref state),
                    5 => (float)Math.Floor(4 * Uniform(ref state)),
                    _ => (float)Normal(ref state),
                };
        }
        var score = (1.2 * x[0]) - (x[1] * x[2]) + Math.Sin(2 * x[3]) + (x[4] > 0.6 ? 1 : -0.4) + (0.5 * (x[5] - 1.5) * x[6]) - (0.8 * Math.Abs(x[0] - x[7]));
        for (var i = 8; i < Math.Min(x.Length - shape.Categories, 40); i++) score += 0.15 * Math.Tanh(x[i] * x[(i * 5) % 8]);
        for (var i = x.Length - shape.Categories; i < x.Length; i++) score += ((((int)x[i] * 7) + i) % 5 - 2) * 0.3;
        for (var i = 0; i < x.Length && shape.Missing > 0; i++)
        {
            if (Uniform(ref state) < shape.Missing) x[i] = float.NaN;
        }
        return score + (1.2 * Math.Log(1 / Uniform(ref state) - 1)) > 0 ? (byte)1 : (byte)0;
    }

    private static double Uniform(ref ulong state)
    {
        // SplitMix64 (Steele, Lea and Flood 2014).
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (((z ^ (z >> 31)) >> 11) + 0.5) * (1.0 / (1UL << 53));
    }

    private static double Normal(ref ulong state) => Math.Sqrt(-2 * Math.Log(Uniform(ref state))) * Math.Cos(2 * Math.PI * Uniform(ref state));

    private static void Header(Stream to, string type, string shape)
    {
        var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}";
        header = header.PadRight(((header.Length + 10 + 1 + 63) / 64 * 64) - 10 - 1) + '\n';
        to.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        to.Write(Encoding.ASCII.GetBytes(header));
    }
}
