using Dataflow.Sql;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>A table of TPC-H: its columns, how many rows it is made from, and how those are made.</summary>
/// <param name="Name">The name.</param>
/// <param name="Schema">The columns.</param>
/// <param name="Base">What is counted at scale 1: rows, or orders for their lines, or parts for their suppliers.</param>
/// <param name="IsFixed">Whether the count is the same at every scale.</param>
/// <param name="Make">Makes some, from one on: a scale, the first (from 0) and how many.</param>
internal sealed record TpchTable(string Name, Schema Schema, long Base, bool IsFixed, Action<RowSink, double, long, long> Make)
{
    private static readonly DecimalType Money = DataType.Decimal(15, 2);

    /// <summary>All tables, the largest first.</summary>
    public static IReadOnlyList<TpchTable> All { get; } =
    [
        new("lineitem", Of("l_", ("orderkey", DataType.BigInt), ("partkey", DataType.BigInt), ("suppkey", DataType.BigInt), ("linenumber", DataType.BigInt), ("quantity", Money),
            ("extendedprice", Money), ("discount", Money), ("tax", Money), ("returnflag", DataType.String), ("linestatus", DataType.String), ("shipdate", DataType.Date),
            ("commitdate", DataType.Date), ("receiptdate", DataType.Date), ("shipinstruct", DataType.String), ("shipmode", DataType.String), ("comment", DataType.String)),
            1_500_000, false, OrderTables.Lines),
        new("orders", Of("o_", ("orderkey", DataType.BigInt), ("custkey", DataType.BigInt), ("orderstatus", DataType.String), ("totalprice", Money), ("orderdate", DataType.Date),
            ("orderpriority", DataType.String), ("clerk", DataType.String), ("shippriority", DataType.Int), ("comment", DataType.String)), 1_500_000, false, OrderTables.Orders),
        new("partsupp", Of("ps_", ("partkey", DataType.BigInt), ("suppkey", DataType.BigInt), ("availqty", DataType.BigInt), ("supplycost", Money), ("comment", DataType.String)),
            200_000, false, PartTables.PartSuppliers),
        new("part", Of("p_", ("partkey", DataType.BigInt), ("name", DataType.String), ("mfgr", DataType.String), ("brand", DataType.String), ("type", DataType.String), ("size", DataType.Int),
            ("container", DataType.String), ("retailprice", Money), ("comment", DataType.String)), 200_000, false, PartTables.Parts),
        new("customer", Of("c_", ("custkey", DataType.BigInt), ("name", DataType.String), ("address", DataType.String), ("nationkey", DataType.Int), ("phone", DataType.String),
            ("acctbal", Money), ("mktsegment", DataType.String), ("comment", DataType.String)), 150_000, false, PartyTables.Customers),
        new("supplier", Of("s_", ("suppkey", DataType.BigInt), ("name", DataType.String), ("address", DataType.String), ("nationkey", DataType.Int), ("phone", DataType.String),
            ("acctbal", Money), ("comment", DataType.String)), 10_000, false, PartyTables.Suppliers),
        new("nation", Of("n_", ("nationkey", DataType.Int), ("name", DataType.String), ("regionkey", DataType.Int), ("comment", DataType.String)), 25, true, PartyTables.Nations),
        new("region", Of("r_", ("regionkey", DataType.Int), ("name", DataType.String), ("comment", DataType.String)), 5, true, PartyTables.Regions),
    ];

    /// <summary>How many are made at a scale, of what <see cref="Base"/> counts.</summary>
    public long CountAt(double scale) => IsFixed ? Base : (long)(Base * scale);

    private static Schema Of(string prefix, params (string Name, DataType Type)[] columns) =>
        new(Array.ConvertAll(columns, column => new Field(prefix + column.Name, column.Type, Nullable: false)));
}
