using Dataflow.Sql.Analysis;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Tests.Analysis;

/// <summary>Tables that have columns and no rows: enough to bind with.</summary>
internal static class Tables
{
    private static readonly (string Name, string Columns)[] TpchTables =
    [
        ("region", "r_regionkey int, r_name string, r_comment string"),
        ("nation", "n_nationkey int, n_name string, n_regionkey int, n_comment string"),
        ("supplier", "s_suppkey bigint, s_name string, s_address string, s_nationkey int, s_phone string, s_acctbal decimal(15,2), s_comment string"),
        ("customer", "c_custkey bigint, c_name string, c_address string, c_nationkey int, c_phone string, c_acctbal decimal(15,2), c_mktsegment string, c_comment string"),
        ("part", "p_partkey bigint, p_name string, p_mfgr string, p_brand string, p_type string, p_size int, p_container string, p_retailprice decimal(15,2), p_comment string"),
        ("partsupp", "ps_partkey bigint, ps_suppkey bigint, ps_availqty bigint, ps_supplycost decimal(15,2), ps_comment string"),
        ("orders", "o_orderkey bigint, o_custkey bigint, o_orderstatus string, o_totalprice decimal(15,2), o_orderdate date, o_orderpriority string, o_clerk string, o_shippriority int, o_comment string"),
        ("lineitem", "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber bigint, l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string"),
    ];

    /// <summary>The tables of TPC-H.</summary>
    public static Catalog Tpch() => Of(TpchTables);

    /// <summary>t(a int, b bigint, c double, d decimal(10,2), s string, e date, w timestamp, x boolean) and u(a int, k string, v int).</summary>
    public static Catalog Small() => Of(
        ("t", "a int, b bigint, c double, d decimal(10,2), s string, e date, w timestamp, x boolean"),
        ("u", "a int, k string, v int"));

    public static Catalog Of(params (string Name, string Columns)[] tables)
    {
        var catalog = new Catalog();
        foreach (var (name, columns) in tables) catalog.Set(name, new EmptyTable(name, SchemaOf(columns)));
        return catalog;
    }

    public static LogicalPlan Plan(string sql, Catalog? catalog = null, Parameters? parameters = null) =>
        Assert.IsType<QueryStatement>(Bind(sql, catalog, parameters)).Plan;

    public static Statement Bind(string sql, Catalog? catalog = null, Parameters? parameters = null) =>
        Binder.Bind(sql, catalog ?? Small(), NameOnlyFunctions.Registry, new SessionSettings(), parameters);

    public static QueryException Error(string sql, Catalog? catalog = null, Parameters? parameters = null) =>
        Assert.Throws<QueryException>(() => Bind(sql, catalog, parameters));

    private static Schema SchemaOf(string columns) => ((StructType)Parser.ParseType($"struct<{columns}>")) is var type ? new Schema(type.Fields) : null!;

    public sealed class EmptyTable(string name, Schema schema) : ITable
    {
        public string Name => name;

        public Schema Schema => schema;

        public TableStatistics Statistics => TableStatistics.Unknown;

        public ITableScan Scan(ScanRequest request) => throw new NotSupportedException();
    }
}
