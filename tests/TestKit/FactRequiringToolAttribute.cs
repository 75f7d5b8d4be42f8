using Xunit;

namespace Dataflow.TestKit;

/// <summary>A fact that compares with another program and is skipped, with what to install, where that is missing.</summary>
/// <remarks>Under CI (the environment variable <c>CI</c> is <c>true</c>) it is never skipped: there the program has to be installed.</remarks>
public sealed class FactRequiringToolAttribute : FactAttribute
{
    /// <summary>Requires a program on PATH.</summary>
    /// <param name="tool">Its name, such as <c>lz4</c>.</param>
    /// <param name="package">The Debian package that has it; the name of the program when not given.</param>
    public FactRequiringToolAttribute(string tool, string? package = null) =>
        Skip = SkipReason.Unless(CommandLineTool.Find(tool) is not null, $"the program '{tool}'", package ?? tool);
}
