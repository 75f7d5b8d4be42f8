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
        4 => context.Sql($"SELECT Category, avg(Price) AS Price FROM ({WinningSql}) GROUP BY Category"),
        5 => context.Sql("""
            SELECT start, max_by(Auction, n) AS Auction, max(n) AS n
            FROM   (SELECT Auction, window_start(At, INTERVAL 10 SECONDS, INTERVAL 2 SECONDS, INTERVAL 0 SECONDS) AS start, count(*) AS n FROM bid GROUP BY 1, 2)
            GROUP BY start
            """),
        6 => isStream
            ? context.Sql(WinningSql).GroupByKey((Won won) => won.Seller).FlatMapGroupsWithState<LastPrices, SellerPrice>((seller, rows, state) =>
            {
                var prices = (state.Value?.Prices ?? []).ToList();
                var averages = new List<SellerPrice>();
                foreach (var won in rows.OrderBy(won => won.At))
                {
                    if (prices.Count == 10) prices.RemoveAt(0);
                    prices.Add(won.Price);
                    averages.Add(new SellerPrice(seller, prices.Average()));
                }
                state.Update(new LastPrices([.. prices]));
                return averages;
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

    // The highest bid of each auction. That none goes on for longer than a second is what lets a stream forget it.
    private const string WinningSql = """
        SELECT a.Id AS Auction, a.Category, a.Seller, max(b.Price) AS Price, max(b.At) AS At
        FROM   auction a JOIN bid b ON a.Id = b.Auction AND b.At BETWEEN a.At AND a.Expires AND b.At <= a.At + INTERVAL 1 SECOND
        WHERE  a.Id >= 0
        GROUP BY a.Id, a.At, a.Category, a.Seller
        """;
}

/// <summary>What an auction brought.</summary>
internal sealed record Won(long Auction, int Category, long Seller, long Price, DateTimeOffset At);

/// <summary>The prices of a seller's last auctions.</summary>
internal sealed record LastPrices(long[] Prices);

/// <summary>What a seller's last auctions brought on average.</summary>
internal sealed record SellerPrice(long Seller, double Price);
