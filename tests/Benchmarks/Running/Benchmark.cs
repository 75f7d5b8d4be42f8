namespace Dataflow.Benchmarks.Running;

/// <summary>A piece of work that yields one or more rows of the table.</summary>
/// <param name="Name">What <c>--only</c> matches a part of.</param>
/// <param name="Measure">Does the work. Data it makes in memory dies with the call, so that benchmarks do not disturb each other.</param>
internal sealed record Benchmark(string Name, Func<Session, IEnumerable<Measurement>> Measure);

/// <summary>Benchmarks that are run and reported together.</summary>
/// <param name="Name">The first word on the command line.</param>
/// <param name="Benchmarks">In the order of the table.</param>
internal sealed record Suite(string Name, IReadOnlyList<Benchmark> Benchmarks);

/// <summary>A peer that is not on this machine: its row is skipped.</summary>
/// <param name="what">What is missing and what to install.</param>
internal sealed class PeerMissingException(string what) : Exception(what);
