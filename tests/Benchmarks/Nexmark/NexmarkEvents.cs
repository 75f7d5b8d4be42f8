namespace Dataflow.Benchmarks.Nexmark;

/// <summary>Who sells and bids.</summary>
internal sealed record Person(long Id, string Name, string City, string State, DateTimeOffset At);

/// <summary>What is sold.</summary>
internal sealed record Auction(long Id, string Item, long InitialBid, DateTimeOffset At, DateTimeOffset Expires, long Seller, int Category);

/// <summary>A bid for it.</summary>
internal sealed record Bid(long Auction, long Bidder, long Price, string Channel, DateTimeOffset At);

/// <summary>
/// Events of an online auction as the Nexmark benchmark makes them (P. Tucker, K. Tufte, V. Papadimos, D. Maier: "NEXMark: A Benchmark for Queries over Data Streams",
/// 2002, with the ratios of its generator in Apache Beam): of 50 events one is a person, three are auctions, 46 are bids; half of the bids go to one hot auction of the
/// last hundred, three of four come from hot bidders; ten thousand events a second of event time.
/// </summary>
internal sealed class NexmarkEvents
{
    private const int Cycle = 50;
    private const int AuctionsOfCycle = 3;
    private const long FirstId = 1000;
    private const int InFlight = 100;
    private const int ActivePeople = 1000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Step = TimeSpan.FromMicroseconds(100);
    private static readonly string[] Cities = ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
    private static readonly string[] States = ["AZ", "CA", "ID", "OR", "WA", "WY"];
    private static readonly string[] Names = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
    private static readonly string[] Channels = ["Google", "Facebook", "Baidu", "Apple"];

    /// <summary>People, in pieces.</summary>
    public List<Person[]> People { get; } = [];

    /// <summary>Auctions, in as many.</summary>
    public List<Auction[]> Auctions { get; } = [];

    /// <summary>Bids, in as many.</summary>
    public List<Bid[]> Bids { get; } = [];

    /// <param name="events">How many events.</param>
    /// <param name="pieces">In how many pieces, one after the other.</param>
    public NexmarkEvents(int events, int pieces)
    {
        var random = new Random(7);
        for (var piece = 0; piece < pieces; piece++)
        {
            var (people, auctions, bids) = (new List<Person>(), new List<Auction>(), new List<Bid>());
            for (var number = (long)events * piece / pieces; number < (long)events * (piece + 1) / pieces; number++)
            {
                var (cycle, place, at) = (number / Cycle, (int)(number % Cycle), Start + (Step * number));
                var (lastPerson, lastAuction) = (FirstId + cycle, FirstId + (cycle * AuctionsOfCycle) + Math.Clamp(place - 1, 0, AuctionsOfCycle - 1));
                if (place == 0) people.Add(new Person(lastPerson, $"{Names[random.Next(Names.Length)]} {lastPerson % 97}", Cities[random.Next(Cities.Length)], States[random.Next(States.Length)], at));
                else if (place <= AuctionsOfCycle) auctions.Add(AuctionOf(random, lastAuction, lastPerson, at));
                else bids.Add(BidOf(random, lastAuction, lastPerson, at));
            }
            People.Add([.. people]);
            Auctions.Add([.. auctions]);
            Bids.Add([.. bids]);
        }

        // Far behind all others: what came before is final.
        var end = Start + (Step * events) + TimeSpan.FromDays(1);
        People.Add([new Person(-1, "", "", "", end)]);
        Auctions.Add([new Auction(-1, "", 0, end, end, -1, 0)]);
        Bids.Add([new Bid(-1, -1, 0, "", end)]);
    }

    private static Auction AuctionOf(Random random, long id, long lastPerson, DateTimeOffset at)
    {
        // As long as a hundred auctions take on average.
        var length = Step * Cycle / AuctionsOfCycle * InFlight;
        return new Auction(id, $"item {random.Next(10_000)}", random.Next(1, 1000), at, at + (length * 2 * random.NextDouble()) + TimeSpan.FromMilliseconds(1), PersonOf(random, lastPerson, hotPart: 4), 10 + random.Next(5));
    }

    private static Bid BidOf(Random random, long lastAuction, long lastPerson, DateTimeOffset at)
    {
        var auction = random.Next(2) == 0 ? Math.Max(FirstId, lastAuction / InFlight * InFlight) : Math.Max(FirstId, lastAuction - random.Next(InFlight));
        return new Bid(auction, PersonOf(random, lastPerson, hotPart: 4), (long)(Math.Pow(10, random.NextDouble() * 6) * 100), Channels[random.Next(Channels.Length)], at);
    }

    private static long PersonOf(Random random, long lastPerson, int hotPart) =>
        random.Next(hotPart) > 0 ? Math.Max(FirstId, lastPerson / 100 * 100) : Math.Max(FirstId, lastPerson - random.Next(ActivePeople));
}
