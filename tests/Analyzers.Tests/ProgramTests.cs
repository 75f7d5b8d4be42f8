using System.Text.RegularExpressions;
using Dataflow.TestKit;
using Microsoft.CodeAnalysis;

namespace Dataflow.Analyzers.Tests;

/// <summary>The project's own programs give no cause for a warning.</summary>
public sealed partial class ProgramTests
{
    // What the SDK adds to every file of the examples.
    private const string Implicit = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http;
        global using System.Threading; global using System.Threading.Tasks;
        """;

    public static TheoryData<string> Examples => [.. Directory.GetDirectories(Path.Combine(RepositoryRoot.Path, "examples"))
        .Where(folder => Directory.GetFiles(folder, "*.csproj").Length > 0).Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Examples_are_free_of_warnings(string example)
    {
        var root = Path.Combine(RepositoryRoot.Path, "examples");
        var files = Directory.GetFiles(Path.Combine(root, example), "*.cs").Append(Path.Combine(root, "Arguments.cs"));
        AssertNone([.. files.Select(file => (file, File.ReadAllText(file)))]);
    }

    [Fact]
    public void So_is_the_program_of_one_file() =>
        AssertNone(("quickstart.cs", Regex.Replace(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "examples/quickstart.cs")), "^#:.*$", "", RegexOptions.Multiline)));

    [Theory]
    [InlineData("docs/guide.md")]
    [InlineData("README.md")]
    public void So_are_the_programs_of_the_documents(string document) => AssertNone(
        (document, string.Join('\n', Block().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, document))).Select(match => match.Groups[1].Value))));

    [Fact]
    public void Every_rule_has_its_section_with_its_title()
    {
        var page = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "docs", "analyzers.md"));
        foreach (var rule in new ClosureAnalyzer().SupportedDiagnostics)
        {
            Assert.Contains($"## {rule.Id}", page);
            Assert.Contains($"**{rule.Title}.**", string.Join('\n', page));
            Assert.Equal($"docs/analyzers.md#{rule.Id.ToLowerInvariant()}", rule.HelpLinkUri);
            Assert.Equal(DiagnosticSeverity.Warning, rule.DefaultSeverity);
        }
    }

    private static void AssertNone(params (string Path, string Text)[] files)
    {
        Assert.NotEmpty(files);
        Assert.Empty(AnalyzedProgram.Analyze(OutputKind.ConsoleApplication, [.. files, ("Implicit.cs", Implicit)]));
    }

    [GeneratedRegex(@"^```csharp\r?\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
