using System.Globalization;
using Dataflow.MLlib.Numerics;

namespace Dataflow.MLlib.TreeModels;

/// <summary>How scores become outputs, by the objective that was minimised: probabilities for classes, means for counts, the score itself else.</summary>
internal sealed class OutputTransform
{
    private readonly Form form;
    private readonly double sigmoid;

    private OutputTransform(Form form, double sigmoid = 1) => (this.form, this.sigmoid) = (form, sigmoid);

    private enum Form
    {
        Same,
        Sigmoid,
        Softmax,
        SigmoidEach,
        Exp,
        SignedSquare,
        Softplus,
        Shares,
    }

    /// <summary>Whether outputs are probabilities: of the second class if there is one score, else of every class.</summary>
    public bool IsProbability => form is Form.Sigmoid or Form.Softmax or Form.SigmoidEach or Form.Shares;

    /// <summary>The transform of an objective in LightGBM's words, such as <c>binary sigmoid:1</c>. Unknown ones leave scores as they are.</summary>
    /// <exception cref="ArgumentException">The objective's sigmoid is not a positive number.</exception>
    public static OutputTransform Of(string objective)
    {
        var words = objective.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var sigmoid = 1.0;
        foreach (var word in words)
        {
            if (!word.StartsWith("sigmoid:", StringComparison.Ordinal)) continue;
            if (!double.TryParse(word.AsSpan("sigmoid:".Length), NumberStyles.Float, CultureInfo.InvariantCulture, out sigmoid) || !(sigmoid > 0) || !double.IsFinite(sigmoid))
                throw new ArgumentException($"The objective '{objective}' has a sigmoid that is not a positive number.", nameof(objective));
        }
        return (words.Length == 0 ? "" : words[0]) switch
        {
            "binary" => new(Form.Sigmoid, sigmoid),
            "cross_entropy" or "xentropy" => new(Form.Sigmoid),
            "multiclass" or "softmax" => new(Form.Softmax),
            "multiclassova" or "ova" or "ovr" => new(Form.SigmoidEach, sigmoid),
            "class_shares" => new(Form.Shares),
            "poisson" or "gamma" or "tweedie" => new(Form.Exp),
            "cross_entropy_lambda" or "xentlambda" => new(Form.Softplus),
            "regression" or "l2" or "regression_l2" when words.Contains("sqrt") => new(Form.SignedSquare),
            _ => new(Form.Same),
        };
    }

    /// <summary>Replaces the scores of one row by its outputs.</summary>
    public void Apply(Span<double> scores)
    {
        switch (form)
        {
            case Form.Sigmoid or Form.SigmoidEach:
                foreach (ref var score in scores) score = 1 / (1 + Elementary.Exp(-sigmoid * score));
                break;
            case Form.Exp:
                foreach (ref var score in scores) score = Elementary.Exp(score);
                break;
            case Form.SignedSquare:
                foreach (ref var score in scores) score = score < 0 ? -(score * score) : score * score;
                break;
            case Form.Softplus:
                foreach (ref var score in scores) score = Elementary.Softplus(score);
                break;
            case Form.Softmax:
                Softmax(scores);
                break;
            case Form.Shares when scores.Length > 1:
                Shares(scores);
                break;
        }
    }

    private static void Softmax(Span<double> scores)
    {
        var largest = scores[0];
        foreach (var score in scores) largest = score > largest ? score : largest;
        var sum = 0.0;
        foreach (ref var score in scores)
        {
            score = Elementary.Exp(score - largest);
            sum += score;
        }
        foreach (ref var score in scores) score /= sum;
    }

    // Trees of different classes part rows differently, so that shares need not add up to 1.
    private static void Shares(Span<double> scores)
    {
        var sum = 0.0;
        foreach (var score in scores) sum += score;
        foreach (ref var score in scores) score = sum > 0 ? score / sum : 1.0 / scores.Length;
    }
}
