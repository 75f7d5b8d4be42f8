using System.Text;
using Dataflow.Sql.Analysis;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Kernels;
using Dataflow.Sql.Optimizer;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Tests.Queries;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Optimizer;

/// <summary>What each rule of the optimiser does to examples: a file of statements a rule in <c>golden/rules</c>, beside it the plans before and after it.</summary>
public class GoldenRuleTests
{
    private const string Folder = "tests/Sql.Tests/golden/rules";

    /// <summary>The rules that have examples.</summary>
    public static TheoryData<string> Rules { get; } =
        new(Directory.GetFiles(Path.Combine(RepositoryRoot.Path, Folder), "*.sql").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Rules))]
    public void Each_rule_does_to_its_examples_what_their_golden_plans_say(string rule)
    {
        var text = new StringBuilder();
        foreach (var sql in File.ReadAllText(Path.Combine(RepositoryRoot.Path, Folder, rule + ".sql")).Split(";\n"))
        {
            var statement = Binder.Bind(sql, Tables(), new FunctionRegistry(BuiltinFunctions.Registry), new SessionSettings());
            var before = Assert.IsType<QueryStatement>(statement).Plan;
            LogicalPlan? after = null;
            new QueryOptimizer().Optimise(before, (name, plan) =>
            {
                if (after is not null) return;
                if (name == rule) after = plan;
                else before = plan;
            });
            text.Append("-- ").Append(sql.Trim()).Append('\n');
            text.Append(Golden.Renumbered($"before\n{PlanPrinter.PrintWhole(before)}after\n{(after is null ? "the same\n" : PlanPrinter.PrintWhole(after))}")).Append('\n');
        }
        Golden.Check($"{Folder}/{rule}.plan", text.ToString());
    }

    [Fact]
    public void Every_built_in_rule_has_examples()
    {
        var rules = typeof(IRule).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IRule))).Select(type => type.Name);
        Assert.Empty(rules.Except(Directory.GetFiles(Path.Combine(RepositoryRoot.Path, Folder), "*.sql").Select(file => Path.GetFileNameWithoutExtension(file)!)));
    }

    private static Catalog Tables()
    {
        var catalog = new Catalog();
        catalog.Set("big", new SmallTable("big", Of("k:int v:int s:string d:date"), [], 1, 1, rows: 1_000_000));
        catalog.Set("mid", new SmallTable("mid", Of("k:int m:int w:int"), [], 1, 1, rows: 10_000));
        catalog.Set("small", new SmallTable("small", Of("m:int x:int n:string"), [], 1, 1, rows: 100));
        return catalog;

        static Schema Of(string columns) => new((Field[])[.. columns.Split(' ').Select(column => column.Split(':')).Select(parts => new Field(parts[0], parts[1] switch
        {
            "int" => DataType.Int,
            "date" => DataType.Date,
            _ => DataType.String,
        }))]);
    }
}
