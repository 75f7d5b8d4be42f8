using System.Text;
using Dataflow.Sql.Plans;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Analysis;

public class GoldenPlanTests
{
    private const string Folder = "tests/Sql.Tests/golden/bound";

    /// <summary>The files of statements; beside each stands one of their plans.</summary>
    public static TheoryData<string> Files { get; } =
        new(Directory.GetFiles(Path.Combine(RepositoryRoot.Path, Folder), "*.sql").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void Each_statement_is_bound_as_its_golden_plan_says(string name)
    {
        var text = new StringBuilder();
        foreach (var sql in File.ReadAllText(Path.Combine(RepositoryRoot.Path, Folder, name + ".sql")).Split(";\n"))
        {
            var plan = Tables.Plan(sql);
            text.Append("-- ").Append(sql.Trim()).Append('\n');
            text.Append("-> ").AppendJoin(", ", plan.Output.Select(column => $"{column.Name} {column.Type}{(column.Nullable ? "" : " not null")}")).Append('\n');
            text.Append(Golden.Renumbered(PlanPrinter.PrintWhole(plan))).Append('\n');
        }
        Golden.Check($"{Folder}/{name}.plan", text.ToString());
    }
}
