using System.Text;
using Dataflow.Sql.Expressions;

namespace Dataflow.Sql.Plans;

/// <summary>Draws trees of plans: for Explain, golden files and logs alike.</summary>
public static class PlanPrinter
{
    /// <summary>A logical plan, a line each, inputs indented below.</summary>
    public static string Print(LogicalPlan plan) => Print(plan, node => node.Describe(), node => node.Inputs);

    /// <summary>A logical plan with the plans of its subqueries and of the names of WITH that it reads behind it, each under a heading.</summary>
    public static string PrintWhole(LogicalPlan plan)
    {
        var text = new StringBuilder();
        var plans = new Queue<(string Heading, LogicalPlan Plan)>([("", plan)]);
        var definitions = new HashSet<CommonDefinition>();
        while (plans.TryDequeue(out var next))
        {
            text.Append(next.Heading).Append(Print(next.Plan));
            foreach (var part in next.Plan.Parts())
            {
                foreach (var subquery in part.Expressions.SelectMany(expression => expression.Parts()).OfType<SubqueryExpression>())
                {
                    plans.Enqueue(($"{subquery}:\n", subquery.Plan));
                }
                if (part is CommonTable common && definitions.Add(common.Definition)) plans.Enqueue(($"WITH {common.Definition.Name}:\n", common.Definition.Plan));
            }
        }
        return text.ToString();
    }

    /// <summary>Any tree, a line each, inputs indented below.</summary>
    /// <param name="root">The root.</param>
    /// <param name="describe">A node's line.</param>
    /// <param name="inputs">What is below a node.</param>
    public static string Print<T>(T root, Func<T, string> describe, Func<T, IEnumerable<T>> inputs)
    {
        var text = new StringBuilder();
        Add(root, "", "");
        return text.ToString();

        void Add(T node, string first, string rest)
        {
            text.Append(first).Append(describe(node)).Append('\n');
            var below = inputs(node).ToArray();
            for (var i = 0; i < below.Length; i++)
            {
                var isLast = i == below.Length - 1;
                Add(below[i], rest + "+- ", rest + (isLast ? "   " : "|  "));
            }
        }
    }
}
