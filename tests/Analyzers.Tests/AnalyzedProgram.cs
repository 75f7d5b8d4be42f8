using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Dataflow.Analyzers.Tests;

/// <summary>A small program compiled against the engine, and what the analyzer says of it.</summary>
internal static partial class AnalyzedProgram
{
    // A partial method whose body a source generator writes: none run here.
    private const string NoGenerators = "CS8795";

    private const string Usings = """
        using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Threading; using System.Threading.Tasks;
        using Dataflow;

        """;

    private static readonly ImmutableArray<MetadataReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    /// <summary>Compiles a body with a <c>context</c>, an <c>rdd</c> of ints and <c>pairs</c>, and asserts that exactly what is marked is warned of.</summary>
    /// <param name="body">Statements; <c>[|DF0001:count|]</c> marks where a squiggle must be.</param>
    /// <param name="members">More members of the class around them, which is <c>partial class Program</c>; may be marked too.</param>
    /// <param name="types">Types beside it; may be marked too.</param>
    /// <returns>The messages, in order of place.</returns>
    public static string[] Check(string body, string members = "", string types = "") => CheckWhole(Source(body, members, types));

    /// <summary>The program that <see cref="Check"/> makes.</summary>
    public static string Source(string body, string members = "", string types = "") => $$"""
        {{Usings}}
        public static class Program
        {
            public static void Run(DataflowContext context, Rdd<int> rdd, Rdd<(string Key, int Value)> pairs)
            {
                {{body}}
            }
            {{members}}
        }
        {{types}}
        """;

    /// <summary>As <see cref="Check"/>, of a whole file but for its usings.</summary>
    public static string[] CheckTypes(string types) => CheckWhole(Usings + types);

    /// <summary>What the analyzer says of some files.</summary>
    public static ImmutableArray<Diagnostic> Analyze(OutputKind kind, params (string Path, string Text)[] files)
    {
        var compilation = Compile(kind, files);
        var wrong = compilation.GetDiagnostics().Where(one => one.Severity == DiagnosticSeverity.Error && one.Id != NoGenerators).ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong.Select(one => one.ToString())));
        var said = compilation.WithAnalyzers([new ClosureAnalyzer()], new CompilationWithAnalyzersOptions(
            new AnalyzerOptions([]), (error, _, _) => throw new InvalidOperationException("The analyzer threw.", error), true, false));
        return [.. said.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult().OrderBy(one => one.Location.SourceSpan.Start).ThenBy(one => one.Id)];
    }

    /// <summary>The compilation of some files.</summary>
    public static CSharpCompilation Compile(OutputKind kind, params (string Path, string Text)[] files)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        return CSharpCompilation.Create(
            "analyzed-" + Guid.NewGuid().ToString("N"),
            files.Select(file => CSharpSyntaxTree.ParseText(SourceText.From(file.Text, Encoding.UTF8), options, file.Path)),
            References,
            new CSharpCompilationOptions(kind, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable, concurrentBuild: false));
    }



    private static string[] CheckWhole(string marked)
    {
        var expected = new List<string>();
        var text = new StringBuilder();
        var at = 0;
        foreach (Match mark in Mark().Matches(marked))
        {
            text.Append(marked, at, mark.Index - at);
            at = mark.Index + mark.Length;
            expected.Add(Describe(mark.Groups[1].Value, SourceText.From(text.ToString()).Lines.GetLinePosition(text.Length), mark.Groups[2].Value));
            text.Append(mark.Groups[2].Value);
        }
        text.Append(marked, at, marked.Length - at);

        var source = text.ToString();
        var said = Analyze(OutputKind.DynamicallyLinkedLibrary, ("Program.cs", source));
        Assert.Equal(
            expected,
            said.Select(one => Describe(
                one.Id, one.Location.GetLineSpan().StartLinePosition, source.Substring(one.Location.SourceSpan.Start, one.Location.SourceSpan.Length))));
        return [.. said.Select(one => one.GetMessage())];
    }

    private static string Describe(string id, LinePosition start, string text) => $"{id} at ({start.Line + 1},{start.Character + 1}) {text}";

    [GeneratedRegex(@"\[\|(DF\d+):(.*?)\|\]")]
    private static partial Regex Mark();
}
