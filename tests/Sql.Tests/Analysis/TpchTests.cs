using Dataflow.Sql.Plans;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Analysis;

public class TpchTests
{
    public static TheoryData<string> Queries { get; } = new(Enumerable.Range(1, 22).Select(number => $"q{number:D2}"));

    [Theory]
    [MemberData(nameof(Queries))]
    public void Each_query_is_bound_as_its_golden_plan_says(string name)
    {
        var sql = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/Benchmarks/tpch", name + ".sql"));
        Golden.Check($"tests/Sql.Tests/golden/bound/tpch-{name}.plan", Golden.Renumbered(PlanPrinter.PrintWhole(Tables.Plan(sql, Tables.Tpch()))));
    }
}
