using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

public sealed class InputPathsTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public InputPathsTests()
    {
        foreach (var name in (string[])["b.txt", "a.txt", "c.csv", "_SUCCESS", ".hidden.txt", "2024/01/x.txt", "2024/02/y.txt", "2024/02/z.csv", "2025/01/w.txt",
                     "_temporary.old/part.txt", "odd/a,b.txt", "odd/[1].txt"])
            _scratch.Write(name, name);
    }

    [Theory]
    [InlineData("a.txt", "a.txt")]
    [InlineData("", "a.txt b.txt c.csv")]
    [InlineData("*.txt", "a.txt b.txt")]
    [InlineData("{b,a}.txt", "b.txt a.txt")]
    [InlineData("c.csv,a.txt,*.txt", "c.csv a.txt b.txt")]
    [InlineData("20*/*/*.txt", "2024/01/x.txt 2024/02/y.txt 2025/01/w.txt")]
    [InlineData("2024/*", "2024/01/x.txt 2024/02/y.txt 2024/02/z.csv")]
    [InlineData("2024/**", "2024/01/x.txt 2024/02/y.txt 2024/02/z.csv")]
    [InlineData("**/*.txt", "a.txt b.txt 2024/01/x.txt 2024/02/y.txt 2025/01/w.txt odd/[1].txt odd/a,b.txt")]
    [InlineData("20[0-9][0-9]/0[!2]", "2024/01/x.txt 2025/01/w.txt")]
    [InlineData(".hidden.txt", ".hidden.txt")]
    [InlineData("_*", "_SUCCESS _temporary.old/part.txt")]
    [InlineData("odd/a,b.txt", "odd/a,b.txt")]
    [InlineData("odd/[1].txt", "odd/[1].txt")]
    [InlineData("odd/\\[1\\].txt", "odd/[1].txt")]
    [InlineData("2024/01,2025/01/", "2024/01/x.txt 2025/01/w.txt")]
    public void Files_are_found_in_order(string path, string expected) => Assert.Equal(expected.Split(' '), Find(path));

    [Fact]
    public void A_missing_file_is_named_in_full_with_similar_names()
    {
        var error = Assert.Throws<InputException>(() => Find("aa.txt"));

        Assert.Contains($"'{_scratch["aa.txt"]}'", error.Message);
        Assert.Contains($"The folder '{_scratch.Folder}' exists; did you mean 'a.txt'", error.Message);
        Assert.Equal(_scratch["aa.txt"], error.Path);
    }

    [Fact]
    public void A_missing_folder_is_named_with_the_nearest_that_exists()
    {
        var error = Assert.Throws<InputException>(() => Find("2024/13/deep/x.txt"));
        Assert.Contains($"The folder '{_scratch["2024"]}' exists", error.Message);
        Assert.Contains("holds '01', '02'.", error.Message);

        Assert.Contains("is a file, so nothing can be below it", Assert.Throws<InputException>(() => Find("a.txt/below")).Message);
        Directory.CreateDirectory(_scratch["empty"]);
        Assert.Contains("exists and is empty", Assert.Throws<InputException>(() => Find("empty/x")).Message);
    }

    [Theory]
    [InlineData("*.parquet")]
    [InlineData("a.txt/*")]
    [InlineData("nowhere/*.txt")]
    [InlineData("{x,y}.txt")]
    public void A_pattern_without_a_match_is_an_error(string pattern)
    {
        var error = Assert.Throws<InputException>(() => Find(pattern));
        Assert.Contains($"No file matches '{_scratch[pattern]}'", error.Message);
    }

    [Fact]
    public void One_missing_path_of_a_list_is_an_error() => Assert.Throws<InputException>(() => Find("a.txt,nothing.txt"));

    [Fact]
    public void An_empty_folder_gives_no_files()
    {
        Directory.CreateDirectory(_scratch["empty"]);
        Assert.Empty(Find("empty"));
    }

    [Fact]
    public void A_folder_of_folders_is_an_error_that_says_how_to_read_them()
    {
        var error = Assert.Throws<InputException>(() => Find("2024"));
        Assert.Contains("holds only folders, such as '01'", error.Message);
        Assert.Contains("2024/**", error.Message);
    }

    [Fact]
    public void A_link_stands_for_what_it_leads_to()
    {
        File.CreateSymbolicLink(_scratch["link.lnk"], _scratch["a.txt"]);
        Directory.CreateSymbolicLink(_scratch["linked"], _scratch["2025/01"]);
        File.CreateSymbolicLink(_scratch["broken.lnk"], _scratch["gone"]);

        Assert.Equal(["link.lnk"], Find("*.lnk"));
        Assert.Equal("a.txt".Length, new InputPaths(_scratch["link.lnk"]).Find()[0].Length);
        Assert.Equal(["linked/w.txt"], Find("linked"));
    }

    [Fact]
    public void A_link_back_up_does_not_lead_round_and_round()
    {
        Directory.CreateSymbolicLink(_scratch["2024/01/up"], _scratch["2024"]);
        Assert.Equal(["2024/01/x.txt", "2024/02/y.txt", "2024/02/z.csv"], Find("2024/**"));
    }

    [Fact]
    public void A_path_that_may_not_be_read_says_so_and_is_not_called_missing()
    {
        var system = new FaultyFileSystem();
        system.Before = (operation, path) =>
        {
            if (path.EndsWith("2025")) throw new UnauthorizedAccessException("Permission denied");
        };

        var error = Assert.Throws<InputException>(() => new InputPaths(system.Of(_scratch["2025"])).Find());
        Assert.Contains("may not be read by user", error.Message);
        Assert.Throws<InputException>(() => new InputPaths(system.Of(_scratch["20*"] + "/*/*.txt")).Find());
    }

    [Fact]
    public void Other_schemes_go_through_their_own_file_system()
    {
        var system = new FaultyFileSystem();
        var files = new InputPaths($"{system.Of(_scratch["*.txt"])},{_scratch["c.csv"]}").Find();
        Assert.Equal([system.Of(_scratch["a.txt"]), system.Of(_scratch["b.txt"]), _scratch["c.csv"]], files.Select(file => file.Path));
    }

    public void Dispose() => _scratch.Dispose();

    private string[] Find(string path)
    {
        var full = path.StartsWith("odd/") ? _scratch[path] : string.Join(',', Glob.SplitList($"{path},").DefaultIfEmpty("").Select(part => _scratch[part]));
        return [.. new InputPaths(full).Find().Select(file => file.Path[(_scratch.Folder.Length + 1)..])];
    }
}
