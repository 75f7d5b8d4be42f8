using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

public sealed class FilePathTests
{
    [Theory]
    [InlineData("/a/b", "/a", "b")]
    [InlineData("/a", "/", "a")]
    [InlineData("/a/b/", "/a", "b")]
    [InlineData("/", null, "")]
    [InlineData("C:/a", "C:/", "a")]
    [InlineData("hdfs://host:9000/a/b", "hdfs://host:9000/a", "b")]
    [InlineData("hdfs://host:9000/a", "hdfs://host:9000/", "a")]
    [InlineData("hdfs://host:9000/", null, "")]
    [InlineData("s3://bucket", null, "")]
    public void A_path_has_a_folder_and_a_name(string path, string? folder, string name)
    {
        Assert.Equal(folder, FilePath.ParentOf(path));
        Assert.Equal(name, FilePath.NameOf(path));
    }

    [Theory]
    [InlineData("/a", null)]
    [InlineData("a:b", null)]
    [InlineData("C:\\a", null)]
    [InlineData("c://a", null)]
    [InlineData("hdfs://host/a", "hdfs")]
    [InlineData("S3://bucket/a", "s3")]
    [InlineData("1x://a", null)]
    [InlineData("a b://c", null)]
    public void A_scheme_has_two_letters_at_least(string path, string? scheme) => Assert.Equal(scheme, FilePath.SchemeOf(path));

    [Fact]
    public void Local_paths_are_made_full_against_the_given_folder()
    {
        Assert.Equal("/data/x/*.txt", FileSystems.Local.Resolve("x/*.txt", "/data"));
        Assert.Equal("/x", FileSystems.Local.Resolve("../x/", "/data"));
        Assert.Equal("/x/y", FileSystems.Local.Resolve("file:///x/y", "/data"));
        Assert.Equal("/x/y", FileSystems.Local.Resolve("file://localhost/x/y", "/data"));
        Assert.Contains("'other'", Assert.Throws<ArgumentException>(() => FileSystems.Local.Resolve("file://other/x", "/data")).Message);
    }

    [Fact]
    public void An_unknown_scheme_is_an_error_that_lists_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => FileSystems.For("gopher://x/y"));
        Assert.Contains("'gopher://'", error.Message);
        Assert.Contains("file://", error.Message);
    }
}
