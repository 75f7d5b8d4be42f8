using Dataflow.MLlib.Numerics;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Numerics;

/// <summary>Files that take rows beyond the memory budget.</summary>
public sealed class MappedMemoryTests
{
    [Fact]
    public void A_disk_without_room_is_an_error_that_says_where_how_much_and_what_next()
    {
        using var folder = new TempDirectory();
        const long Bytes = 1L << 55;
        var error = Assert.Throws<IOException>(() => new MappedMemory(folder.Path, Bytes)).Message;
        Assert.Contains(folder.Path, error, StringComparison.Ordinal);
        Assert.Contains($"{Bytes:N0} bytes", error, StringComparison.Ordinal);
        Assert.Contains("TempFolder", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Assert.Contains("TempFolder", Assert.Throws<IOException>(() => new MappedMemory(Path.Combine(folder.Path, "nothing"), 100)).Message, StringComparison.Ordinal);
    }
}
