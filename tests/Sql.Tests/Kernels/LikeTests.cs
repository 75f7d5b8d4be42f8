using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Sql.Kernels;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

public sealed class LikeTests
{
    [Fact]
    public void Random_patterns_agree_with_regular_expressions()
    {
        const int seed = 42;
        var random = new Random(seed);
        const string letters = "ab%_é";
        for (var i = 0; i < 20_000; i++)
        {
            var text = Random(random, "abé", 8);
            var pattern = Random(random, letters, 6);
            var expected = Regex.IsMatch(text, "^" + pattern.Replace("%", ".*").Replace("_", ".") + "$", RegexOptions.Singleline);
            var actual = LikePattern.Parse(Encoding.UTF8.GetBytes(pattern), (byte)'\\')!.Matches(Encoding.UTF8.GetBytes(text));
            Assert.True(expected == actual, $"'{text}' LIKE '{pattern}' gives {actual} (seed {seed}, number {i}).");
        }

        static string Random(Random random, string letters, int most) => new([.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => letters[random.Next(letters.Length)])]);
    }

    [Fact]
    public void Escapes_stand_for_themselves_and_wrong_ones_are_errors()
    {
        using var rig = new KernelRig();
        var text = rig.Column("t", DataType.String, "50%", "50x", "a\\b", null);
        Assert.Equal([true, false, false, null], rig.Evaluate(Call("like", text, Text("50\\%"))));
        Assert.Equal([true, false, false, null], rig.Evaluate(Call("like", text, Text("__!%"), Text("!"))));
        Assert.Equal([false, false, true, null], rig.Evaluate(Call("like", text, Text("a\\\\_"))));
        var error = Assert.Throws<QueryException>(() => rig.Evaluate(Call("like", text, Text("\\a"))));
        Assert.Contains("escape character", error.Message);
        Assert.Equal([true, true, false, null], rig.Evaluate(Call("rlike", text, Text("^5[0-9]"))));
        Assert.Equal([false, true, false, null], rig.Evaluate(Call("ilike", text, Text("%X"))));
    }
}
