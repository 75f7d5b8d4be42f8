using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;

namespace Dataflow.Diagnostics;

/// <summary>The lines of a statement, read from the portable PDB beside the assembly or inside it.</summary>
/// <remarks>The runtime's own look-up gives the first line only, and only for whole stack traces taken with file names.</remarks>
/// <param name="File">Path as the compiler recorded it, or null when it is not known.</param>
/// <param name="Start">First line of the statement, from 1; 0 when it is not known.</param>
/// <param name="End">Its last line.</param>
internal sealed record SourceLine(string? File, int Start, int End)
{
    private static readonly SourceLine Unknown = new(null, 0, 0);
    private static readonly ConditionalWeakTable<Assembly, Symbols> Opened = [];

    /// <summary>The statement at an IL offset of a method. Opens the PDB on the first use of its assembly.</summary>
    public static SourceLine Of(MethodBase? method, int offset)
    {
        if (method is null || method.Module.Assembly.IsDynamic || method.MetadataToken == 0)
            return Unknown;
        if (Opened.GetValue(method.Module.Assembly, Symbols.Open).Reader is not { } reader)
            return Unknown;

        var token = MetadataTokens.MethodDefinitionHandle(method.MetadataToken & 0xFFFFFF);
        SequencePoint? found = null;
        foreach (var point in reader.GetMethodDebugInformation(token).GetSequencePoints())
        {
            if (point.IsHidden)
                continue;
            if (found is not null && point.Offset > offset)
                break;
            found = point;
        }

        return found is { } at
            ? new SourceLine(reader.GetString(reader.GetDocument(at.Document).Name), at.StartLine, at.EndLine)
            : Unknown;
    }

    /// <summary>The file's name and the first line: <c>Program.cs:13</c>.</summary>
    public override string ToString() => File is null ? "" : $"{File[(File.LastIndexOfAny(['/', '\\']) + 1)..]}:{Start}";

    // Kept as long as its assembly is loaded: a page of stages asks for hundreds of lines. The reader points into the provider's memory.
    private sealed class Symbols(MetadataReaderProvider? provider)
    {
        public MetadataReader? Reader { get; } = provider?.GetMetadataReader();

        public static Symbols Open(Assembly assembly)
        {
            var path = assembly.Location;
            if (path.Length == 0)
                return new Symbols(null);
            try
            {
                using var image = new PEReader(new MemoryStream(System.IO.File.ReadAllBytes(path)));
                image.TryOpenAssociatedPortablePdb(path, OpenPdb, out var provider, out _);
                return new Symbols(provider);
            }
            catch (Exception error) when (error is IOException or BadImageFormatException or UnauthorizedAccessException)
            {
                // A missing or damaged PDB must not hide the error that is being explained: the member's name stands in for the line.
                return new Symbols(null);
            }
        }

        // In memory, so that a rebuild can replace the file while the program runs.
        private static MemoryStream? OpenPdb(string path) =>
            System.IO.File.Exists(path) ? new MemoryStream(System.IO.File.ReadAllBytes(path)) : null;
    }
}
