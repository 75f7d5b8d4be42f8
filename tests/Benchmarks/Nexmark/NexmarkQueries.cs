using Dataflow.Sql;
using Dataflow.Streaming;

namespace Dataflow.Benchmarks.Nexmark;

/// <summary>Queries 0 to 8 of Nexmark over views <c>person</c>, <c>auction</c>, <c>bid</c> and, for those that read bids twice, <c>bid2</c>; the same text for streams and for tables.</summary>
internal static class NexmarkQueries
{
    public const int Count = 9;

    /// <summary>What a query computes.</summary>
    public static string NameOf(int query) => query switch
    {
        0 => "pass through",
        1 => "currency conversion",
        2 => "selection",
        3 => "who is selling in some states",
        4 => "average price of a category",
        5 => "hot items",
        6 => "average price of a seller",
        7 => "highest bid",
        _ => "new users who sell",
    };

    /// <summary>The query over views.</summary>
    /// <param name="context">Has the views.</param>
    /// <param name="query">Its number.</param>
    /// <param name="isStream">Whether the views are streams.</param>
    public static DataFrame Of(DataflowContext context, int query, bool isStream) => query switch
    {
        0 => context.Sql("SELECT Auction, Bidder, Price, At FROM bid"),
        1 => context.Sql("SELECT Auction, Bidder, 0.908D * Price AS Price, At FROM bid"),
        2 => context.Sql("SELECT Auction, Price FROM bid WHERE Auction % 123 = 0"),
        3 => context.Sql("SELECT Name, City, State, a.Id FROM auction a JOIN person p ON a.Seller = p.Id WHERE Category = 10 AND State IN ('OR', 'ID', 'CA')"),
        4 => isStream
            ? Winning(context).GroupBy("Category").Agg(Functions.Avg("Price").As("Price"))
            : context.Sql($"SELECT Category, avg(Price) AS Price FROM ({WinningSql}) GROUP BY Category"),
        5 => context.Sql("""
            SELECT start, max_by(Auction, n) AS Auction, max(n) AS n
            FROM   (SELECT Auction, window_start(At, INTERVAL 10 SECONDS, INTERVAL 2 SECONDS, INTERVAL 0 SECONDS) AS start, count(*) AS n FROM bid GROUP BY 1, 2)
            GROUP BY start
            """),
        6 => isStream
            ? Winning(context).GroupByKey((Won won) => won.Seller).FlatMapGroupsWithState<LastPrices, SellerPrice>((seller, rows, state) =>
            {
                var prices = (state.Value?.Prices ?? []).Concat(rows.OrderBy(won => won.At).Select(won => won.Price)).TakeLast(10).ToArray();
                state.Update(new LastPrices(prices));
                return [new SellerPrice(seller, prices.Average())];
            })
            : context.Sql($"SELECT Seller, avg(Price) OVER (PARTITION BY Seller ORDER BY At ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS Price FROM ({WinningSql})"),
        7 => context.Sql("""
            SELECT b.Auction, b.Price, b.Bidder, b.At
            FROM   bid b JOIN (SELECT window_start(At, INTERVAL 10 SECONDS) AS start, max(Price) AS Price FROM bid2 GROUP BY 1) m
                   ON b.Price = m.Price AND window_start(b.At, INTERVAL 10 SECONDS) = m.start
            """),
        8 => context.Sql("""
            SELECT p.Id, p.Name, p.start
            FROM   (SELECT Id, Name, window_start(At, INTERVAL 10 SECONDS) AS start FROM person) p
                   JOIN (SELECT DISTINCT Seller, window_start(At, INTERVAL 10 SECONDS) AS start FROM auction) a ON p.Id = a.Seller AND p.start = a.start
            """),
        _ => throw new ArgumentOutOfRangeException(nameof(query), query, "There are queries 0 to 8."),
    };

    private const string WinningSql = """
        SELECT a.Id, a.Category, a.Seller, max(b.Price) AS Price, max(b.At) AS At
        FROM auction a JOIN bid b ON a.Id = b.Auction AND b.At BETWEEN a.At AND a.Expires WHERE a.Id >= 0 GROUP BY a.Id, a.Category, a.Seller
        """;

    // The highest bid of each auction, once it has expired: how long it runs is told by the auction itself, which no bound of a join can say.
    private static DataFrame Winning(DataflowContext context) => context.Sql("""
            SELECT Id AS Auction, At, Expires, Category, Seller, CAST(NULL AS BIGINT) AS Price FROM auction
            UNION ALL
            SELECT Auction, At, NULL, NULL, NULL, Price FROM bid
            """)
        .GroupByKey((Offer offer) => offer.Auction)
        .FlatMapGroupsWithState<OpenAuction, Won>(new() { Timeout = GroupTimeout.EventTime }, (auction, offers, state) =>
        {
            if (state.HasTimedOut)
            {
                var ended = state.Get();
                state.Remove();
                return ended is { Seller: { } seller, Price: { } most, BidAt: { } at } && auction >= 0 ? [new Won(auction, ended.Category ?? 0, seller, most, at)] : [];
            }
            var open = state.Value ?? new OpenAuction(null, null, null, null, null);
            foreach (var offer in offers)
            {
                if (offer.Expires is not null) open = open with { Expires = offer.Expires, Category = offer.Category, Seller = offer.Seller };
                else if (offer.Price > (open.Price ?? -1) && offer.At <= (open.Expires ?? DateTimeOffset.MaxValue)) open = open with { Price = offer.Price, BidAt = offer.At };
            }
            state.Update(open);
            if (open.Expires is { } expires) state.SetTimeoutTimestamp(expires);
            return [];
        });
}

/// <summary>An auction, or a bid for one.</summary>
internal sealed record Offer(long Auction, DateTimeOffset At, DateTimeOffset? Expires, int? Category, long? Seller, long? Price);

/// <summary>An auction that goes on.</summary>
internal sealed record OpenAuction(DateTimeOffset? Expires, int? Category, long? Seller, long? Price, DateTimeOffset? BidAt);

/// <summary>What an auction brought.</summary>
internal sealed record Won(long Auction, int Category, long Seller, long Price, DateTimeOffset At);

/// <summary>The prices of a seller's last auctions.</summary>
internal sealed record LastPrices(long[] Prices);

/// <summary>What a seller's last auctions brought on average.</summary>
internal sealed record SellerPrice(long Seller, double Price);
