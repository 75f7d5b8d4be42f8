using System.Text;

namespace Dataflow.Sql.Plans;

/// <summary>Draws trees of plans: for Explain, golden files and logs alike.</summary>
public static class PlanPrinter
{
    /// <summary>A logical plan, a line each, inputs indented below.</summary>
    public static string Print(LogicalPlan plan) => Print(plan, node => node.Describe(), node => node.Inputs);

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
