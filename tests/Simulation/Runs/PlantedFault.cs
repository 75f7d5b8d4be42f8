namespace Dataflow.Simulation;

/// <summary>A mistake made on purpose, to see that it is found.</summary>
internal enum PlantedFault
{
    None,

    /// <summary>The driver takes a task that found no input for one whose code threw.</summary>
    DropFetchFailures,

    /// <summary>The driver never says that what executors know of map outputs is out of date.</summary>
    ReuseEpochs,

    /// <summary>The driver lets every attempt commit that asks.</summary>
    TwoCommits,
}
