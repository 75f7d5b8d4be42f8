namespace Dataflow.MLlib;

/// <summary>What splits of a classification tree lower (Breiman et al. 1984, chapter 4).</summary>
public enum ClassImpurity
{
    /// <summary>The Gini impurity: how often two rows drawn from a leaf are of different classes.</summary>
    Gini,

    /// <summary>The entropy of the shares of classes, in nats, which is the log loss of a leaf that predicts its shares. Takes up to half again the time of Gini.</summary>
    Entropy,

    /// <summary>Another name of <see cref="Entropy"/>.</summary>
    LogLoss = Entropy,
}
