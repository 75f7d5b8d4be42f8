namespace Dataflow.MLlib.Optimization;

/// <summary>A point that the function was asked at.</summary>
/// <param name="Point">Where.</param>
/// <param name="Gradient">The gradient of the smooth part.</param>
/// <param name="Smooth">The value of the smooth part.</param>
/// <param name="Value">The value with penalties.</param>
internal sealed record LinePoint(double[] Point, double[] Gradient, double Smooth, double Value);
