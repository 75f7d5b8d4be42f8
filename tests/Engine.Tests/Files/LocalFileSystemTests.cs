using Dataflow.Files;

namespace Dataflow.Engine.Tests.Files;

public sealed class LocalFileSystemTests : IDisposable
{
    private readonly Scratch _scratch = new();

    private static IFileSystem Files => FileSystems.Local;

    [Fact]
    public void A_pending_file_is_not_seen_until_it_is_committed()
    {
        using (var file = Files.Create(_scratch["deep/er/x"]))
        {
            file.Stream.Write("new"u8);
            Assert.False(File.Exists(_scratch["deep/er/x"]));
            Assert.All(Directory.GetFiles(_scratch["deep/er"]), path => Assert.True(FilePath.IsHidden(FilePath.NameOf(path))));
            file.Commit(durable: true);
        }
        Assert.Equal("new", File.ReadAllText(_scratch["deep/er/x"]));
        Assert.Equal(["deep/er/x"], _scratch.Names);
    }

    [Fact]
    public void A_file_takes_the_place_of_a_spent_one()
    {
        _scratch.Write("log/1", "a long text that goes");
        using (var file = Files.Create(_scratch["log/2"], _scratch["log/1"]))
        {
            Assert.False(File.Exists(_scratch["log/1"]));
            file.Stream.Write("new"u8);
            file.Commit();
        }
        Assert.Equal("new", File.ReadAllText(_scratch["log/2"]));

        // One that is not there any more is as good.
        using (var file = Files.Create(_scratch["log/3"], _scratch["log/1"]))
        {
            file.Stream.Write("next"u8);
            file.Commit(durable: true);
        }
        using (Files.Create(_scratch["log/4"], _scratch["log/3"])) { }
        Assert.Equal(["log/2"], _scratch.Names);
    }

    [Fact]
    public void A_folder_that_is_not_there_has_no_names_to_wait_for()
    {
        Files.FlushFolder(_scratch.Folder);
        Files.CreateFolder(_scratch["a/b/c"], durable: true);
        Files.CreateFolder(_scratch["a/b"], durable: true);
        Assert.True(Directory.Exists(_scratch["a/b/c"]));
        if (!OperatingSystem.IsWindows()) Assert.Contains("gone", Assert.Throws<IOException>(() => Files.FlushFolder(_scratch["gone"])).Message);
    }

    [Fact]
    public void A_pending_file_that_is_not_committed_leaves_nothing()
    {
        using (var file = Files.Create(_scratch["x"])) file.Stream.Write("half"u8);
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public async Task Files_that_are_renamed_while_their_folder_is_listed_are_no_error()
    {
        _scratch.Write("stays", "");
        using var stop = new CancellationTokenSource();
        var renaming = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i = (i + 1) % 50)
            {
                _scratch.Write($"{i}.tmp", "");
                File.Move(_scratch[$"{i}.tmp"], _scratch[$"{i}"], overwrite: true);
            }
        });
        for (var i = 0; i < 500; i++) Assert.Contains(Files.List(_scratch[""]), file => FilePath.NameOf(file.Path) == "stays");
        await stop.CancelAsync();
        await renaming;
    }

    [Fact]
    public void A_commit_replaces_only_when_asked()
    {
        _scratch.Write("x", "old");
        using (var file = Files.Create(_scratch["x"]))
        {
            file.Stream.Write("new"u8);
            Assert.Throws<IOException>(() => file.Commit());
        }
        Assert.Equal("old", File.ReadAllText(_scratch["x"]));
        using (var file = Files.Create(_scratch["x"])) file.Commit(replace: true);
        Assert.Equal(["x"], _scratch.Names);
        Assert.Equal("", File.ReadAllText(_scratch["x"]));
    }

    [Fact]
    public void Renaming_onto_something_is_an_error()
    {
        _scratch.Write("a/x", "a");
        _scratch.Write("b/x", "b");
        Assert.Throws<IOException>(() => Files.Rename(_scratch["a"], _scratch["b"]));
        Assert.Throws<IOException>(() => Files.Rename(_scratch["a/x"], _scratch["b/x"]));
        Files.Rename(_scratch["a"], _scratch["c"]);
        Assert.Equal(["b/x", "c/x"], _scratch.Names);
    }

    [Fact]
    public void Deleting_a_link_leaves_what_it_leads_to()
    {
        _scratch.Write("folder/x", "kept");
        Directory.CreateSymbolicLink(_scratch["to-folder"], _scratch["folder"]);
        File.CreateSymbolicLink(_scratch["to-file"], _scratch["folder/x"]);
        File.CreateSymbolicLink(_scratch["to-nothing"], _scratch["gone"]);

        foreach (var name in new[] { "to-folder", "to-file", "to-nothing", "never-there" }) Files.Delete(_scratch[name]);
        Assert.Equal(["folder/x"], _scratch.Names);
        Assert.Single(Directory.GetDirectories(_scratch.Folder), folder => !folder.EndsWith(".temp"));
    }

    [Fact]
    public void A_lock_is_held_by_one_and_leaves_no_file()
    {
        var first = Files.TryLock(_scratch["lock"]);
        Assert.NotNull(first);
        Assert.Null(Files.TryLock(_scratch["lock"]));
        first.Dispose();
        using (Assert.IsAssignableFrom<IDisposable>(Files.TryLock(_scratch["lock"]))) { }
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public void Room_is_known_also_for_what_does_not_exist_yet() => Assert.True(Files.FreeBytes(_scratch["not/yet/there"]) > 0);

    [Fact]
    public void A_stream_begins_where_it_was_asked_to()
    {
        var path = _scratch.Write("x", "0123456789");
        using var stream = Files.OpenRead(path, 7);
        Assert.Equal("789", new StreamReader(stream).ReadToEnd());
        Assert.Equal(10, stream.Length);
        Assert.Throws<FileNotFoundException>(() => Files.OpenRead(_scratch["gone"]));
    }

    public void Dispose() => _scratch.Dispose();
}
