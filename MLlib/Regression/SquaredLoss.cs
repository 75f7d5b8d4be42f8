using Dataflow.MLlib.Optimization;

namespace Dataflow.MLlib.Regression;

/// <summary>Half the square of the difference.</summary>
internal sealed unsafe class SquaredLoss : RowLoss
{
    public override double Evaluate(double* margins, int stride, double* labels, double* weights, int count, ref double extra)
    {
        double sum = 0;
        for (var i = 0; i < count; i++)
        {
            var difference = margins[i] - labels[i];
            margins[i] = weights[i] * difference;
            sum += margins[i] * difference;
        }
        return sum / 2;
    }
}

/// <summary>
/// Half of: scale + square / scale for differences of up to epsilon scales, and a straight line beyond (Huber 1981, section 7.7; Owen 2007, section 3): outliers
/// pull with limited force, and how large an ordinary difference is (the scale) is learned too.
/// </summary>
/// <param name="epsilon">Scales from which on a difference counts as an outlier.</param>
/// <param name="scale">The scale. The extra derivative is by its logarithm.</param>
internal sealed unsafe class HuberLoss(double epsilon, double scale) : RowLoss
{
    public override double Evaluate(double* margins, int stride, double* labels, double* weights, int count, ref double extra)
    {
        double sum = 0, slope = 0;
        for (var i = 0; i < count; i++)
        {
            var difference = margins[i] - labels[i];
            var ratio = difference / scale;
            if (Math.Abs(ratio) <= epsilon)
            {
                sum += weights[i] * (scale + (difference * ratio));
                slope += weights[i] * (1 - (ratio * ratio));
                margins[i] = weights[i] * ratio;
            }
            else
            {
                sum += weights[i] * (scale + (2 * epsilon * Math.Abs(difference)) - (scale * epsilon * epsilon));
                slope += weights[i] * (1 - (epsilon * epsilon));
                margins[i] = weights[i] * Math.CopySign(epsilon, ratio);
            }
        }
        extra += slope * scale / 2;
        return sum / 2;
    }
}
