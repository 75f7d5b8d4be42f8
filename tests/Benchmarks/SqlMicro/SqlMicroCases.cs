using Dataflow.Sql;

namespace Dataflow.Benchmarks.SqlMicro;

/// <summary>One operator to be timed.</summary>
/// <param name="Name">As the peer's case of the same work is called.</param>
/// <param name="Prepare">Makes views and tables; not timed.</param>
/// <param name="Run">What is timed; gives the first row as text.</param>
internal sealed record SqlMicroCase(string Name, Action<DataflowContext, string, long> Prepare, Func<DataflowContext, string, long, Task<string>> Run);

/// <summary>The cases.</summary>
internal static class SqlMicroCases
{
    private static readonly string[] Numbers = ["l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax"];
    private static readonly string[] Texts = ["l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "l_comment"];
    private static readonly string[] Dates = ["l_shipdate", "l_commitdate", "l_receiptdate"];

    private static readonly string Numeric = string.Join(", ", Numbers.Select(name => $"sum({name})"));
    private static readonly string All16 = string.Join(", ", [.. Numbers.Select(name => $"sum({name})"), .. Texts.Select(name => $"sum(octet_length({name}))"), .. Dates.Select(name => $"max({name})")]);

    private const string Q1 =
        "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), "
        + "avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*) FROM t WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2 ORDER BY 1, 2";

    private const string Groups = "SELECT count(*), sum(s) FROM (SELECT k, sum(v) s, count(*) c FROM g GROUP BY k)";

    /// <summary>All of them. Rows of the last ones are made from their number while they are read, where a peer has them in memory.</summary>
    public static IReadOnlyList<SqlMicroCase> All { get; } =
    [
        new("scan_numeric", Parquet, Query($"SELECT {Numeric} FROM t")),
        new("scan_all", Parquet, Query($"SELECT {All16} FROM t")),
        new("csv_all", Csv, Query($"SELECT {All16} FROM t")),
        new("csv_count", Csv, Query("SELECT count(*) FROM t")),
        new("csv_q1", Csv, Query(Q1)),
        new("json_all", Json, Query($"SELECT {All16.Replace("sum(l_quantity)", "sum(CAST(l_quantity AS DECIMAL(15,2)))", StringComparison.Ordinal)} FROM t")),
        new("parquet_to_parquet", Parquet, (context, data, _) => Write(data, context.Sql("SELECT * FROM t"))),
        new("range_only", (context, _, rows) => View(context, "g", $"SELECT shiftrightunsigned(xxhash64(id), 1) AS k, id % 1000 AS v FROM range({rows})"), Query("SELECT sum(k % 2), sum(v) FROM g")),
        new("group_10m_distinct", (context, _, rows) => View(context, "g", $"SELECT shiftrightunsigned(xxhash64(id), 1) AS k, id % 1000 AS v FROM range({rows})"), Query(Groups)),
        new("group_10m_100keys", (context, _, rows) => View(context, "g", $"SELECT pmod(xxhash64(id), 100) AS k, id % 1000 AS v FROM range({rows})"), Query("SELECT k, sum(v) s, count(*) c FROM g GROUP BY k")),
        new("group_10m_1mkeys", (context, _, rows) => View(context, "g", $"SELECT pmod(xxhash64(id), 1000000) AS k, id % 1000 AS v FROM range({rows})"), Query(Groups)),
        new("join_10m_1m", Join, Query("SELECT count(*), sum(v), sum(w) FROM p JOIN b USING (k)")),
        new("sort_10m", (context, _, rows) => View(context, "s", $"SELECT shiftrightunsigned(xxhash64(id), 1) AS k, id AS v FROM range({rows})"), (context, _, _) => Drain(context.Sql("SELECT * FROM s ORDER BY k"))),
        new("distinct_count_10m", (context, _, rows) => View(context, "g", $"SELECT shiftrightunsigned(xxhash64(id), 1) AS k FROM range({rows})"), Query("SELECT count(DISTINCT k) FROM g")),
    ];

    private static Func<DataflowContext, string, long, Task<string>> Query(string text) =>
        async (context, _, _) => (await context.Sql(text).CollectAsync().ConfigureAwait(false)) is [var row, ..] ? string.Join(',', Enumerable.Range(0, row.Count).Select(i => row[i])) : "";

    private static void Parquet(DataflowContext context, string data, long rows) => context.Read.Parquet(Path.Combine(data, "lineitem.parquet")).CreateTempView("t");

    private static void Csv(DataflowContext context, string data, long rows) => context.Read.Csv(Path.Combine(data, "lineitem.csv"), new CsvOptions { HasHeader = true }).CreateTempView("t");

    // Written once, from the Parquet file.
    private static void Json(DataflowContext context, string data, long rows)
    {
        var path = Path.Combine(data, "lineitem.json");
        if (!Directory.Exists(path)) context.Read.Parquet(Path.Combine(data, "lineitem.parquet")).Write.Json(path);
        context.Read.Json(path).CreateTempView("t");
    }

    private static void Join(DataflowContext context, string data, long rows)
    {
        View(context, "b", $"SELECT shiftrightunsigned(xxhash64(id), 1) AS k, id AS w FROM range({rows / 10})");
        View(context, "p", $"SELECT shiftrightunsigned(xxhash64(pmod(xxhash64(id + 7), {rows / 10})), 1) AS k, id AS v FROM range({rows})");
    }

    // As the peer has it: a table in memory.
    private static void View(DataflowContext context, string name, string query)
    {
        var frame = context.Sql(query).Cache();
        frame.CreateTempView(name);
        frame.Count();
    }

    private static async Task<string> Write(string data, DataFrame frame)
    {
        var path = Path.Combine(data, "tmp_copy.parquet");
        try
        {
            await frame.Write.Mode(SaveMode.Overwrite).ParquetAsync(path).ConfigureAwait(false);
            return $"{Directory.GetFiles(path).Sum(file => new FileInfo(file).Length):N0} bytes";
        }
        finally
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
    }

    // All rows are computed where they are, and none is sent on.
    private static async Task<string> Drain(DataFrame frame)
    {
        var (plan, run) = frame.Session.Plan(frame);
        using (run)
        {
            var counts = await run.Context.RunJobAsync(plan.ToRdd(run), batches => batches.Sum(batch => (long)batch.Alive)).ConfigureAwait(false);
            return $"{counts.Sum()} rows";
        }
    }
}
