using System.Text.Json;
using Dataflow.Streaming.Tests;

namespace Dataflow.CrashHarness;

/// <summary>What the query reads: clicks and, where it joins, offers, made of a seed, and what should come of them in plain LINQ.</summary>
/// <param name="folder">The files of both.</param>
/// <param name="seed">Of times, pages and users.</param>
/// <param name="hasOffers">Whether there are offers.</param>
internal sealed class Inputs(string folder, int seed, bool hasOffers)
{
    public const string Clicks = "in";
    public const string Offers = "offers";

    /// <summary>What is added to the user of a click on an offer.</summary>
    public const int UserOfOffers = 1000;

    private const int RowsOfFile = 40;
    private const int FilesOfMinute = 6;
    private const int Pages = 5;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random _random = new(seed);
    private readonly List<Click> _clicks = [];
    private readonly HashSet<(DateTimeOffset, string)> _offered = [];
    private readonly SortedDictionary<int, List<Offer>> _offersOfFiles = [];

    public int Rows => _clicks.Count;

    public int Files { get; private set; }

    /// <summary>Writes a file more of each stream.</summary>
    public void Feed()
    {
        if (hasOffers && Files % FilesOfMinute == 0) MakeOffers(Files / FilesOfMinute);
        var start = Start.AddSeconds(60 / FilesOfMinute * Files);
        Write([.. Enumerable.Range(0, RowsOfFile).Select(_ => new Click(start.AddSeconds(_random.Next(-30, 30)), $"/page/{_random.Next(Pages)}", _random.Next(20)))]);
    }

    /// <summary>Writes what makes all windows final.</summary>
    public void End()
    {
        // Offers that were still to come: the last clicks may have found them in no file.
        foreach (var late in _offersOfFiles.Keys.Where(file => file > Files).ToArray())
        {
            OffersOf(Files).AddRange(_offersOfFiles[late]);
            _offersOfFiles.Remove(late);
        }
        var last = _clicks.Max(click => click.At).AddHours(1);
        if (hasOffers) OffersOf(Files).Add(new Offer(last, "end"));
        Write([new Click(last, "end", 0)]);
    }

    public PageMinute[] Expected() => Streaming.Tests.Clicks.Expected(_clicks
        .Where(click => click.Page != "end")
        .Select(click => _offered.Contains((MinuteOf(click.At), click.Page)) ? click with { User = click.User + UserOfOffers } : click));

    // On some of the pages, before the first click or up to a minute later.
    private void MakeOffers(int minute)
    {
        for (var page = 0; page < Pages; page++)
        {
            if (_random.Next(3) == 0) continue;
            var offer = new Offer(Start.AddMinutes(minute), $"/page/{page}");
            _offered.Add((offer.At, offer.Page));
            OffersOf(Files + _random.Next(FilesOfMinute)).Add(offer);
        }
    }

    private List<Offer> OffersOf(int file) => _offersOfFiles.TryGetValue(file, out var offers) ? offers : _offersOfFiles[file] = [];

    private void Write(Click[] clicks)
    {
        if (hasOffers) WriteOffers();
        Streaming.Tests.Clicks.Write(Path.Combine(folder, Clicks), Files++, clicks);
        _clicks.AddRange(clicks);
    }

    private void WriteOffers()
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, Offers)).FullName, $"offers-{Files:D6}.json");
        File.WriteAllLines(path + ".tmp", OffersOf(Files).Select(offer => JsonSerializer.Serialize(offer)));
        File.Move(path + ".tmp", path);
        _offersOfFiles.Remove(Files);
    }

    private static DateTimeOffset MinuteOf(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
}
