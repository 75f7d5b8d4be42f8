namespace Dataflow.Engine.Tests.Context;

/// <summary>Tests that count what belongs to the whole process, such as its open files, and so run by themselves.</summary>
[CollectionDefinition(nameof(WholeProcess), DisableParallelization = true)]
public sealed class WholeProcess;
