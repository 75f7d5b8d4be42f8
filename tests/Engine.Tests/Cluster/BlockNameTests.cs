using System.Text;
using Dataflow.Cluster;
using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Cluster;

public sealed class BlockNameTests
{
    [Fact]
    public void A_name_of_every_kind_is_read_as_it_was_written()
    {
        foreach (var name in Samples())
        {
            Assert.True(BlockName.TryParse(name.ToString(), out var back));
            Assert.Equal(name, back);
            Assert.True(name.ToString().Length <= BlockName.MaxLength, name.ToString());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("shuffle")]
    [InlineData("shuffle/")]
    [InlineData("shuffle/3/12/77/8-8")]
    [InlineData("shuffle/3/12/77/8-7")]
    [InlineData("shuffle/3/12/77/8")]
    [InlineData("shuffle/03/12/77/0-8")]
    [InlineData("shuffle/-3/12/77/0-8")]
    [InlineData("shuffle/+3/12/77/0-8")]
    [InlineData("shuffle/3/12/77/0-8/")]
    [InlineData("shuffle/3/12/77/0-8\n")]
    [InlineData("shuffle/3/12/77/0-2147483648")]
    [InlineData("shuffle/٣/12/77/0-8")]
    [InlineData("shuffle/3/12/0-8")]
    [InlineData("Cached/1/2")]
    [InlineData("cached/1")]
    [InlineData("cached/1/2/3")]
    [InlineData("cached/ 1/2")]
    [InlineData("broadcast/9223372036854775808/0")]
    [InlineData("code/abc")]
    [InlineData("code/../../../../../../../../../../../../../../../../../../etc/passwd")]
    [InlineData("code/E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("../etc/passwd")]
    [InlineData("cached/../../etc/passwd")]
    [InlineData("cached/1/2%00")]
    public void Anything_else_is_no_name(string text) => Assert.False(BlockName.TryParse(text, out _));

    [Fact]
    public void A_mutated_name_is_refused_or_has_exactly_its_own_spelling()
    {
        const string alphabet = "0123456789/-abcdeflsu.%\\ \0:";
        var samples = Samples().Select(name => name.ToString()).ToArray();
        for (var seed = 0; seed < 100_000; seed++)
        {
            var random = new Random(seed);
            var text = new StringBuilder(samples[seed % samples.Length]);
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(3))
                {
                    case 0: text[at] = alphabet[random.Next(alphabet.Length)]; break;
                    case 1: text.Insert(at, alphabet[random.Next(alphabet.Length)]); break;
                    default: text.Remove(at, 1); break;
                }
            }
            if (BlockName.TryParse(text.ToString(), out var name)) Assert.True(text.ToString() == name.ToString(), $"seed {seed}: {text}");
        }
    }

    private static IEnumerable<BlockName> Samples() =>
    [
        BlockName.Shuffle(new(3), 12, new(77), 0, 8), BlockName.Shuffle(new(int.MaxValue), int.MaxValue, new(long.MaxValue), int.MaxValue - 1, int.MaxValue),
        BlockName.Cached(new RddBlockId(7, 3)), BlockName.Cached(new RddBlockId(0, 0)),
        BlockName.Broadcast(new BroadcastBlockId(long.MaxValue, 0)), BlockName.Code(new string('a', 64)), BlockName.Assembly("Plug-in ä"),
        BlockName.Binary(5), BlockName.Result(new(long.MaxValue)),
    ];
}
