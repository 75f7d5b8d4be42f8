using Dataflow.Engine.Tests.Storage;
using Dataflow.Mapping;
using Dataflow.Storage;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Mapping;

/// <summary>Memory that lies in files keeps what is written to it, and its files go with it.</summary>
public sealed class MappedMemoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Buffers_of_all_sizes_keep_their_bytes_until_they_are_returned(int seed)
    {
        using var folder = new TempDirectory();
        using var folders = new TempFolders(folder.Path);
        var memory = new MappedMemory(folders);
        var random = new Random(seed);
        var held = new List<(NativeBuffer Buffer, byte Value)>();
        for (var step = 0; step < 400; step++)
        {
            if (held.Count > 0 && random.Next(3) == 0)
            {
                var at = random.Next(held.Count);
                Assert.Equal(-1, held[at].Buffer.Span.IndexOfAnyExcept(held[at].Value));
                held[at].Buffer.Dispose();
                held.RemoveAt(at);
                continue;
            }
            var length = random.Next(20) == 0 ? random.Next(3 << 20) : random.Next(200 << 10);
            var buffer = memory.Rent(length);
            Assert.True(buffer.IsMapped);
            Assert.Equal(NativePool.CapacityOf(length), buffer.Capacity);
            Assert.Equal(0, (nint)buffer.Span.Length - length);
            buffer.Span.Fill((byte)step);
            held.Add((buffer, (byte)step));
        }
        Assert.All(held, each => Assert.Equal(-1, each.Buffer.Span.IndexOfAnyExcept(each.Value)));
        Assert.True(memory.Bytes >= held.Sum(each => (long)each.Buffer.Capacity));
        Assert.Equal(memory.Bytes, folders.MappedBytes);
        foreach (var (buffer, _) in held) buffer.Dispose();
        Assert.Equal(0, memory.Bytes);
        Assert.Equal(0, folders.MappedBytes);
        Assert.Empty(Directory.EnumerateFiles(folders.Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Files_have_no_names_on_Unix_so_that_a_killed_process_leaves_none()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TempDirectory();
        using var folders = new TempFolders(folder.Path);
        using var buffer = new MappedMemory(folders).Rent(100);
        Assert.Empty(Directory.EnumerateFiles(folders.Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_full_disk_is_an_error_where_memory_is_asked_for()
    {
        using var folder = new TempDirectory();
        var disk = new FaultyDisk { Room = 5 << 20 };
        using var folders = new TempFolders(folder.Path, disk);
        var memory = new MappedMemory(folders);
        using var first = memory.Rent(100);
        var error = Assert.Throws<TempFolderException>(() => memory.Rent(2 << 20));
        Assert.Contains("DataflowOptions.TempFolder", error.Message, StringComparison.Ordinal);
        using var second = memory.Rent(100);
        Assert.Equal(4 << 20, memory.Bytes);
    }
}
