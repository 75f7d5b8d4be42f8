using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

public class WordCountTests
{
    [Fact]
    public void It_counts_the_words_of_the_projects_own_documents()
    {
        var lines = ExampleProgram.Run("WordCount");
        Assert.Equal(11, lines.Length);
        Assert.True(ExampleProgram.Numbers(lines, @"^([\d,]+) distinct words, [\d,]+ blank lines$")[0] > 500);
    }

    [Fact]
    public void It_counts_the_words_of_files_it_is_given()
    {
        using var folder = new TempDirectory();
        File.WriteAllText(Path.Combine(folder.Path, "one.txt"), "Wind sea wind\n\nthe sea wind\n");
        File.WriteAllText(Path.Combine(folder.Path, "two.txt"), "sea salt WIND");
        File.WriteAllText(Path.Combine(folder.Path, "three.log"), "wind wind");
        Assert.Equal(
            ["4  wind", "3  sea", "1  salt", "3 distinct words, 1 blank lines"],
            ExampleProgram.Run("WordCount", Path.Combine(folder.Path, "*.txt")));
    }
}
