using System.Text;
using Dataflow.Compression;

namespace Dataflow.Engine.Tests.Compression;

public sealed class XxHash32Tests
{
    [Theory]
    [InlineData("", 0x02CC5D05)]
    [InlineData("a", 0x550D7456)]
    [InlineData("abc", 0x32D153FF)]
    [InlineData("Nobody inspects the spammish repetition", 0xE2293B2F)]
    public void Known_vectors_come_out_right(string text, uint expected) =>
        Assert.Equal(expected, XxHash32.Of(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Pieces_of_any_size_give_the_hash_of_the_whole()
    {
        var data = Sample.Of("random", 3000);
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var hash = new XxHash32();
            var length = random.Next(data.Length);
            for (var at = 0; at < length;)
            {
                var piece = Math.Min(length - at, random.Next(0, 40));
                hash.Append(data.AsSpan(at, piece));
                at += piece;
            }

            Assert.True(XxHash32.Of(data.AsSpan(0, length)) == hash.Value, $"seed {seed}");
        }
    }
}
