using System.Text.RegularExpressions;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

/// <summary>The programs of the documents run, and their links lead somewhere.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void The_blocks_of_the_guide_are_one_program()
    {
        var run = DocumentedProgram.Run(Blocks("docs/guide.md"));
        Assert.Equal(
            [
                "3 orders, 1 wrong lines",
                "Ada spent 29.50",
                "customer 7 spent 5.25",
                "most: (1, 20.00), (7, 5.25)",
                "2 components",
                "every task knows the sum: 4950",
                "mean 11.583333333333334, at most 20; 2 up to 12.625, 1 above",
                "3 lines, 3 objects",
            ],
            run);
    }

    [Fact]
    public void The_blocks_of_the_page_on_streams_are_one_program()
    {
        var run = DocumentedProgram.RunWith("Streaming", Blocks("docs/streaming.md"));
        Assert.Equal(
            [
                "/ 2",
                "/news 1",
                "1 too late, final up to 12:02, 2 groups kept",
                "Alan left after 1 clicks",
                "4 pages seen for the first time",
                "2 final",
                "most: /",
                "2 warm",
                "kept: OK",
                "1: 7 after 2 batches",
                "the same query: True, /news 2",
                "aggregate: window, Page, Clicks, partition; 2 groups",
                "2 groups in two partitions more",
            ],
            run);
    }

    [Fact]
    public void The_blocks_of_the_page_on_streams_of_rdds_are_one_program() => Assert.Equal(
        ["to: 2, not: 1", "to 1, to 2, to 3", "to: 3, not: 1, continued: 1"], DocumentedProgram.RunWith("Streaming", Blocks("docs/dstreams.md")));

    [Fact]
    public void The_program_of_the_readme_runs_as_it_stands()
    {
        var run = DocumentedProgram.Run(
            Blocks("README.md"), ("data/stop-words.txt", "the\na\n"), ("data/books/one.txt", "The cat and the dog\n\na dog\n"));
        Assert.Equal("2  dog", run[0].Trim());
        Assert.Equal("3 distinct words, 1 blank lines", run[^1]);
    }

    [Fact]
    public void The_learning_program_of_the_readme_runs_as_it_stands()
    {
        var random = new Random(1);
        string[] works = ["craft", "office", ""];
        var people = Enumerable.Range(0, 2000).Select(i =>
        {
            var (age, hours, work) = (random.Next(18, 80), random.Next(10, 60), works[random.Next(3)]);
            return $"{i},{age},{hours},{work},{(age + hours + (work == "office" ? 30 : 0) > 100 ? 1 : 0)}";
        });
        var run = DocumentedProgram.RunWith("MLlib", OtherBlockOfReadme("Dataflow.MLlib"), ("people.csv", $"id,age,hours,work,rich\n{string.Join('\n', people)}\n"));
        Assert.StartsWith("area under ROC: 0.9", run[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_stream_of_the_readme_runs_as_it_stands()
    {
        string[] clicks =
        [
            """{"At": "2026-01-05T12:00:10Z", "Page": "/", "User": "Ada"}""", """{"At": "2026-01-05T12:00:50Z", "Page": "/", "User": "Alan"}""",
            """{"At": "2026-01-05T12:20:00Z", "Page": "/news", "User": "Ada"}""",
        ];
        var run = DocumentedProgram.RunWith("Streaming", OtherBlockOfReadme("Dataflow.Streaming"), ("inbox/clicks/one.json", string.Join('\n', clicks)));
        Assert.StartsWith("batch 0: 3 clicks", run[0], StringComparison.Ordinal);
        Assert.StartsWith("batch 1: 0 clicks, final up to 12:10", run[1], StringComparison.Ordinal);
        Assert.Equal(2, run.Length);
    }

    [Fact]
    public void Links_between_documents_lead_to_files()
    {
        var root = RepositoryRoot.Path;
        var checkedLinks = 0;
        foreach (var document in Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories)))
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                var target = Path.Combine(Path.GetDirectoryName(document)!, link.Groups[1].Value);
                Assert.True(Path.Exists(target), $"{Path.GetRelativePath(root, document)} links to {link.Groups[1].Value}, which is not there.");
                checkedLinks++;
            }
        }
        Assert.InRange(checkedLinks, 10, int.MaxValue);
    }

    private static string OtherBlockOfReadme(string library) => OtherBlock().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md")))
        .Select(match => match.Groups[1].Value).Single(block => block.Contains(library, StringComparison.Ordinal));

    private static string Blocks(string document) =>
        string.Join('\n', Block().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, document))).Select(match => match.Groups[1].Value));

    [GeneratedRegex(@"^```csharp\r?\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^```cs\r?\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex OtherBlock();

    // Links to the web have a colon, those within a page begin with #.
    [GeneratedRegex(@"\]\(([^):#]+)[)#]")]
    private static partial Regex Link();
}
