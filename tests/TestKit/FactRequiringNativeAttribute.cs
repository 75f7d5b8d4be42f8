using System.Runtime.InteropServices;
using Xunit;

namespace Dataflow.TestKit;

/// <summary>A fact that calls a native library and is skipped, with what to install, where that is missing.</summary>
/// <remarks>Under CI (the environment variable <c>CI</c> is <c>true</c>) it is never skipped: there the library has to be installed.</remarks>
public sealed class FactRequiringNativeAttribute : FactAttribute
{
    /// <summary>Requires a library that the system's loader finds.</summary>
    /// <param name="library">Its name, such as <c>liblz4.so.1</c>.</param>
    /// <param name="package">The Debian package that has it.</param>
    public FactRequiringNativeAttribute(string library, string package) =>
        Skip = SkipReason.Unless(NativeLibrary.TryLoad(library, out _), $"the library '{library}'", package);
}
