using System.Runtime.CompilerServices;
using System.Text;

namespace Dataflow.Engine.Tests.Rdds;

/// <summary>Compares elements without their order: each must occur as often.</summary>
internal static class Bag
{
    public static void AssertEqual<T>(IEnumerable<T> expected, IEnumerable<T> actual) => Assert.True(Difference(expected, actual) is not { } difference, Difference(expected, actual));

    /// <summary>What differs, or null.</summary>
    public static string? Difference<T>(IEnumerable<T> expected, IEnumerable<T> actual)
    {
        // Boxed in an element, because a dictionary takes no null.
        var counts = new Dictionary<Element<T>, int>();
        foreach (var item in expected) counts[new(item)] = counts.GetValueOrDefault(new(item)) + 1;
        foreach (var item in actual) counts[new(item)] = counts.GetValueOrDefault(new(item)) - 1;
        var text = new StringBuilder();
        foreach (var (item, count) in counts.Where(pair => pair.Value != 0).Take(10))
            text.Append(count > 0 ? $"  missing {count} x {item.Show()}\n" : $"  {-count} too many: {item.Show()}\n");
        return text.Length == 0 ? null : text.ToString();
    }

    private readonly record struct Element<T>(T Item)
    {
        public string Show() => Item switch
        {
            null => "null",
            string text => $"'{text}'",
            ITuple tuple => $"({string.Join(", ", Enumerable.Range(0, tuple.Length).Select(i => tuple[i] ?? "null"))})",
            _ => $"{Item}",
        };
    }
}
