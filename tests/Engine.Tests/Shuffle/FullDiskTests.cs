using Dataflow.Engine.Tests.Storage;
using Dataflow.Scheduling;
using Dataflow.Shuffle;
using Dataflow.Storage;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Shuffle;

/// <summary>Map outputs that find no room in the worker's folder.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int SegmentBytes = 64 << 10;
    private const int Segments = 40;

    private static readonly ShuffleId Shuffle = new(2);

    private readonly TempDirectory _temp = new();
    private readonly FaultyDisk _disk = new();
    private readonly ShuffleFolder _folder;
    private readonly ExecutorServices _services;

    public FullDiskTests()
    {
        _folder = new ShuffleFolder(Path.Combine(_temp.Path, "shuffles"), _disk, new WorkerId(7));
        _services = new ExecutorServices(new(0), new WorkerId(7), DataflowOptions.Default with { TempFolder = _temp.Path }, _folder);
    }

    public void Dispose()
    {
        _services.Dispose();
        _temp.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(SegmentBytes)]
    [InlineData(SegmentBytes * (Segments - 1))]
    [InlineData(SegmentBytes * Segments)]
    public void A_full_disk_fails_the_task_and_leaves_nothing(long room)
    {
        _disk.Room = room;
        var error = Assert.Throws<TempFolderException>(() => _services.Shuffles.Register(Shuffle, Output(writer: 1)));
        Assert.Contains("worker 7", error.Message);
        Assert.Contains(_folder.Path, error.Message);
        Assert.Contains("No space left", error.Message);
        Assert.Equal(_folder.Path, error.Folder);
        Assert.Empty(Files());
        Assert.Equal(0, _services.Shuffles.Count);
        Assert.Equal(0, _services.Pool.OutstandingBytes);
        Assert.Equal(0, _services.Memory.Consumers.Sum(consumer => consumer.Bytes));

        // The next attempt has room.
        _disk.Room = long.MaxValue;
        Assert.Equal(Segments * (long)SegmentBytes, _services.Shuffles.Register(Shuffle, Output(writer: 2)).Bytes.Sum());
        Assert.Single(Files());
    }

    private string[] Files() => Directory.Exists(_folder.Path) ? Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories) : [];

    private MapOutput Output(long writer)
    {
        var store = _services.Shuffles;
        var output = store.Begin(Shuffle, 0, 4, new TaskDescription(new TaskId(writer), new(0), new(0), 0, 0, 0));
        for (var i = 0; i < Segments; i++)
            output.Add(i % 4, new Segment(0, 1, new NativeBody(store.Pool.Rent(SegmentBytes), SegmentBytes)));
        return output;
    }
}
