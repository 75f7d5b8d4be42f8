using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.TreeObjectives;

/// <summary>A loss of the program's own: gradients and hessians of rows by their scores.</summary>
/// <param name="function">Computes them.</param>
internal sealed unsafe class CustomObjective(TreeLoss function) : TreeObjective
{
    public override string Text => "custom";

    public override string Metric => "";

    public override string? Fault(float label) => null;

    public override void Compute(in ObjectiveRows rows)
    {
        function(
            new ReadOnlySpan<double>(rows.Scores, rows.Count), new ReadOnlySpan<float>(rows.Labels, rows.Count),
            new Span<double>(rows.Gradients, rows.Count), new Span<double>(rows.Hessians, rows.Count));
        rows.Weigh();
    }
}
