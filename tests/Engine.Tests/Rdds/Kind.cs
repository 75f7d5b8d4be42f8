namespace Dataflow.Engine.Tests.Rdds;

/// <summary>
/// A type that random pipelines carry: how to make an element of a number and a number of an element, so that any step can be written for any
/// type. Equal elements have equal numbers.
/// </summary>
/// <remarks>Static, so that lambdas of pipelines reach it without capturing anything.</remarks>
internal static class Kind<T>
{
    public static string Name { get; private set; } = "";

    public static Func<int, T> From { get; private set; } = null!;

    public static Func<T, int> Number { get; private set; } = null!;

    /// <summary>Associative and commutative, exact.</summary>
    public static Func<T, T, T> Merge { get; private set; } = null!;

    /// <summary>The order that sorts take: the natural one, ordinal for texts.</summary>
    public static IComparer<T> Order { get; private set; } = null!;

    public static void Define(string name, Func<int, T> from, Func<T, int> number, Func<T, T, T> merge)
    {
        Name = name;
        From = from;
        Number = number;
        Merge = merge;
        Order = typeof(T) == typeof(string) ? (IComparer<T>)StringComparer.Ordinal : Comparer<T>.Default;
    }
}

/// <summary>A record with an order of its own.</summary>
public sealed record Spot(int X, string? Name) : IComparable<Spot>
{
    public int CompareTo(Spot? other) => other is null ? 1 : X != other.X ? X.CompareTo(other.X) : string.CompareOrdinal(Name, other.Name);
}

internal static class Kinds
{
    static Kinds()
    {
        Kind<int>.Define("int", static n => n, static x => x, static (a, b) => a + b);
        Kind<long>.Define("long", static n => n * 4_000_000_007L, static x => (int)(x % 1_000_003), static (a, b) => Math.Max(a, b));

        // Halves add up exactly; NaN and both zeros are among them.
        Kind<double>.Define(
            "double",
            static n => n % 13 == 0 ? double.NaN : n % 7 == 0 ? -0.0 : n % 5 == 0 ? 0.0 : n % 1000 / 2.0,
            static x => double.IsNaN(x) ? -77 : (int)(x * 2),
            static (a, b) => a + b);
        Kind<string?>.Define(
            "string",
            static n => n % 11 == 0 ? null : n % 17 == 0 ? "" : $"t{n}",
            static x => x is null ? -5 : x.Aggregate(17, static (hash, c) => hash * 31 + c),
            static (a, b) => string.CompareOrdinal(a, b) >= 0 ? a : b);

        // Equal with different scales.
        Kind<decimal>.Define("decimal", static n => n % 2 == 0 ? n % 500 * 1.0m : n % 500 * 1.00m, static x => (int)x, static (a, b) => a + b);
        Kind<int?>.Define("int?", static n => n % 9 == 0 ? null : n, static x => x ?? -3, static (a, b) => a is null ? b : b is null ? a : Math.Max(a.Value, b.Value));
        Kind<Spot?>.Define(
            "Spot",
            static n => n % 19 == 0 ? null : new Spot(n % 50, n % 3 == 0 ? null : $"s{n % 4}"),
            static x => x is null ? -9 : x.X * 31 + Kind<string?>.Number(x.Name),
            static (a, b) => Comparer<Spot?>.Default.Compare(a, b) >= 0 ? a : b);
        Kind<(int, string?)>.Define(
            "(int, string)",
            static n => (n % 20, n % 6 == 0 ? null : $"p{n % 5}"),
            static x => x.Item1 * 131 + Kind<string?>.Number(x.Item2),
            static (a, b) => Comparer<(int, string?)>.Default.Compare(a, b) >= 0 ? a : b);
    }

    /// <summary>Makes the kinds known.</summary>
    public static void Define() { }

    /// <summary>Whether element i of a pipeline's random subset is in it.</summary>
    public static bool Chosen(int number, int salt, int of) => (uint)(number * 0x9E3779B1u + (uint)salt * 0x85EBCA6Bu >> 8) % of != 0;

    /// <summary>A number made of two.</summary>
    public static int Mix(int a, int b) => unchecked(a * 31 + b * 7) & 0xFFFFF;
}
