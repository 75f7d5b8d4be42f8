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
    public unsafe void Texts_that_lie_one_behind_the_other_are_searched_at_once_with_the_same_result()
    {
        const int seed = 9;
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            using var rig = new KernelRig();
            var texts = Enumerable.Range(0, 500).Select(_ => Random(random, "abc ", 40)).ToArray();
            var nulls = Enumerable.Range(0, 500).Select(i => round % 2 == 0 && random.Next(5) == 0).ToArray();
            var column = rig.Column("t", DataType.String, [.. texts.Select((text, i) => nulls[i] ? null : (object?)text)]);
            Pack(rig, texts, nulls);
            var pattern = string.Concat("%", Random(random, "abc", 4), "%", Random(random, "ab_ ", 3), random.Next(2) == 0 ? "%" : "");
            var mask = RandomValues.Mask(random, 500);
            var actual = rig.Evaluate(Call("like", column, Text(pattern)), mask);
            for (var i = 0; i < texts.Length; i++)
            {
                if (nulls[i] || (mask.Length > 0 && !mask[i])) continue;
                var expected = Regex.IsMatch(texts[i], "^" + pattern.Replace("%", ".*").Replace("_", ".") + "$", RegexOptions.Singleline);
                Assert.True(expected == (bool)actual[i]!, $"'{texts[i]}' LIKE '{pattern}' gives {actual[i]} (seed {seed}, round {round}, row {i}).");
            }
        }

        static string Random(Random random, string letters, int most) => new([.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => letters[random.Next(letters.Length)])]);

        // As in a page: a length of four bytes before each text. Now and then they lie elsewhere.
        static void Pack(KernelRig rig, string[] texts, bool[] nulls)
        {
            var memory = rig.Arena.Rent(texts.Sum(text => text.Length + 4) + 20_000).Pointer;
            var views = (Dataflow.Sql.Columns.StringView*)rig.Batch().Columns[^1].Data;
            for (var i = 0; i < texts.Length; i++)
            {
                memory += i % 97 == 0 ? 200 : 4;
                Encoding.UTF8.GetBytes(texts[i], new Span<byte>(memory, texts[i].Length));
                views[i] = nulls[i] ? default : Dataflow.Sql.Columns.StringView.Of(memory, texts[i].Length);
                memory += texts[i].Length;
            }
        }
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
