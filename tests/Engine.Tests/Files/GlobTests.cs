using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

public sealed class GlobTests
{
    [Theory]
    [InlineData("*", "abc", true)]
    [InlineData("*", "", true)]
    [InlineData("a*c", "ac", true)]
    [InlineData("a*c", "abcbc", true)]
    [InlineData("a*c", "abcb", false)]
    [InlineData("*.txt", "a.txt.gz", false)]
    [InlineData("*a*b*", "xxaxxbxx", true)]
    [InlineData("*a*b*", "xxbxxaxx", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("[a-c]1", "b1", true)]
    [InlineData("[a-c]1", "d1", false)]
    [InlineData("[!a-c]1", "d1", true)]
    [InlineData("[^a-c]1", "b1", false)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("part-[0-9][0-9]", "part-07", true)]
    [InlineData("a[b", "a[b", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("a\\[b]", "a[b]", true)]
    [InlineData("ABC", "abc", false)]
    [InlineData("*", "_SUCCESS", false)]
    [InlineData("*", ".hidden", false)]
    [InlineData("?hidden", ".hidden", false)]
    [InlineData("_*", "_SUCCESS", true)]
    [InlineData(".h*", ".hidden", true)]
    [InlineData("日*", "日本", true)]
    public void A_pattern_matches_as_a_shell_does(string pattern, string name, bool matches) => Assert.Equal(matches, Glob.Matches(pattern, name));

    [Fact]
    public void A_pattern_with_many_stars_does_not_take_for_ever() =>
        Assert.False(Glob.Matches(string.Concat(Enumerable.Repeat("a*", 40)) + "b", new string('a', 2000)));

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a{b,c}d", "abd|acd")]
    [InlineData("{a,b}{c,d}", "ac|ad|bc|bd")]
    [InlineData("x{a,{b,c}d}y", "xay|xbdy|xcdy")]
    [InlineData("{a/b,c}/*.txt", "a/b/*.txt|c/*.txt")]
    [InlineData("{,a}b", "b|ab")]
    [InlineData("a\\{b,c\\}", "a\\{b,c\\}")]
    public void Braces_are_written_out(string pattern, string expected) => Assert.Equal(expected.Split('|'), Glob.Alternatives(pattern));

    [Fact]
    public void Bad_braces_are_errors_that_show_the_pattern()
    {
        Assert.Contains("'a{b,c' is not closed", Assert.Throws<ArgumentException>(() => Glob.Alternatives("a{b,c")).Message);
        var many = string.Concat(Enumerable.Repeat("{0,1,2,3,4,5,6,7,8,9}", 5));
        Assert.Contains("10,000", Assert.Throws<ArgumentException>(() => Glob.Alternatives(many)).Message);
    }

    [Theory]
    [InlineData("a,b", "a|b")]
    [InlineData("a, b ,,c", "a|b|c")]
    [InlineData("a{b,c},d", "a{b,c}|d")]
    [InlineData("a\\,b,c", "a\\,b|c")]
    public void A_list_is_cut_at_its_commas_but_not_within_braces(string list, string expected) => Assert.Equal(expected.Split('|'), Glob.SplitList(list));
}
