using System.Globalization;
using System.Text;

namespace Dataflow.Simulation;

/// <summary>What every part of a simulated run shares: its clock, its dice, what happened so far.</summary>
internal sealed class World(int seed, bool tells)
{
    private const ulong Prime = 1099511628211;

    private readonly StringBuilder _text = new();

    public int Seed => seed;

    public VirtualTime Time { get; } = new();

    /// <summary>Every choice comes from here, so a seed gives the same run each time.</summary>
    public Random Dice { get; } = new(seed);

    /// <summary>Stands for all that happened and when: two runs that differ anywhere have different ones.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>What happened, a line each, if that was asked for.</summary>
    public string Text => _text.ToString();

    /// <summary>Notes what happened.</summary>
    /// <param name="what">A format for the numbers.</param>
    public void Note(string what, long a = 0, long b = 0, long c = 0)
    {
        var hash = Hash;
        foreach (var letter in what) hash = (hash ^ letter) * Prime;
        foreach (var number in (ReadOnlySpan<long>)[Time.Now.Ticks, a, b, c]) hash = (hash ^ (ulong)number) * Prime;
        Hash = hash;
        if (tells) _text.Append(CultureInfo.InvariantCulture, $"{Time.Now.TotalSeconds,10:0.000000}  ").AppendFormat(CultureInfo.InvariantCulture, what, a, b, c).AppendLine();
    }

    /// <summary>Adds words to the last note that are not part of what is compared.</summary>
    public void Explain(string text)
    {
        if (tells) _text.Append(' ', 12).AppendLine(text.ReplaceLineEndings("\n            "));
    }

    public bool Chance(double probability) => Dice.NextDouble() < probability;

    /// <summary>A time between two numbers of milliseconds, short ones more often.</summary>
    public TimeSpan Milliseconds(double least, double most)
    {
        var at = Dice.NextDouble();
        return TimeSpan.FromMilliseconds(least + ((most - least) * at * at));
    }

    public T Pick<T>(IReadOnlyList<T> all) => all[Dice.Next(all.Count)];
}
