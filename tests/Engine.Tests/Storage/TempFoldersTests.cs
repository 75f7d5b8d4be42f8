using Dataflow.Storage;

namespace Dataflow.Engine.Tests.Storage;

public sealed class TempFoldersTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"dataflow-test-{Guid.NewGuid():n}");

    public void Dispose()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void What_is_written_is_read_at_any_place()
    {
        using var temp = new TempFolders(_root);
        using var file = temp.Create("run");
        file.Append([1, 2, 3]);
        file.Append([4, 5]);
        file.Finish();
        Assert.Equal(5, file.Length);
        using var reader = file.OpenRead();
        var bytes = new byte[3];
        reader.ReadExactly(bytes, 1);
        Assert.Equal([2, 3, 4], bytes);
        Assert.Equal(1, reader.Read(bytes, 4));
        var error = Assert.Throws<CorruptDataException>(() => reader.ReadExactly(bytes, 4));
        Assert.Contains("ends after 5 bytes; 3 were expected at 4, of 5 written", error.Message);
    }

    [Fact]
    public void Nothing_is_made_before_the_first_file_and_nothing_stays_behind()
    {
        using (var temp = new TempFolders(_root))
        {
            Assert.False(Directory.Exists(_root));
            for (var i = 0; i < 200; i++) temp.Create("part").Append([1]);
            Assert.Equal(200, Directory.EnumerateFiles(temp.Folder, "*", SearchOption.AllDirectories).Count());
            Assert.Equal(64, Directory.EnumerateDirectories(temp.Folder).Count());
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public async Task A_folder_that_was_removed_comes_back_at_its_place_with_its_lock_and_for_its_owner_only()
    {
        using var temp = new TempFolders(_root);
        await temp.Cleanup;
        var folder = temp.Folder;
        Directory.Delete(_root, recursive: true);
        Assert.Equal(folder, temp.Folder);
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            Assert.Equal(ownerOnly, File.GetUnixFileMode(folder));
            Assert.Equal(ownerOnly, File.GetUnixFileMode(_root));

            // Only the folder, and only a file is wanted.
            using var file = temp.Create("run");
            Directory.Delete(folder, recursive: true);
            using var again = temp.Create("run");
            again.Append([1]);
            Assert.Equal(ownerOnly, File.GetUnixFileMode(folder));
        }
        using var next = new TempFolders(_root);
        await next.Cleanup;
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public void A_disposed_file_is_gone_and_its_readers_read_on()
    {
        using var temp = new TempFolders(_root);
        var file = temp.Create("block");
        file.Append([7]);
        file.Finish();
        using var reader = file.OpenRead();
        file.Dispose();
        file.Dispose();
        Assert.False(File.Exists(file.Path));
        if (OperatingSystem.IsWindows()) return;
        var bytes = new byte[1];
        reader.ReadExactly(bytes, 0);
        Assert.Equal(7, bytes[0]);
    }

    [Fact]
    public async Task Leftovers_of_crashed_runs_are_removed_and_the_folders_of_living_ones_kept()
    {
        var crashed = Path.Combine(_root, "app-1-crashed");
        Directory.CreateDirectory(Path.Combine(crashed, "00"));
        File.WriteAllText(Path.Combine(crashed, "00", "run-1"), "x");
        File.WriteAllText(crashed + ".lock", "");
        var half = Path.Combine(_root, "app-2-made-half");
        Directory.CreateDirectory(half);
        var other = Path.Combine(_root, "not-ours");
        Directory.CreateDirectory(other);

        using var living = new TempFolders(_root);
        await living.Cleanup;
        using var file = living.Create("run");
        using var next = new TempFolders(_root);
        await next.Cleanup;

        Assert.False(Directory.Exists(crashed));
        Assert.False(File.Exists(crashed + ".lock"));
        Assert.False(Directory.Exists(half));
        Assert.True(Directory.Exists(other));
        Assert.True(File.Exists(file.Path));
    }

    [Fact]
    public async Task Applications_that_start_at_once_do_not_remove_each_other_s_files()
    {
        for (var round = 0; round < 4; round++)
        {
            var started = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    var temp = new TempFolders(_root);
                    return (Temp: temp, File: temp.Create("run"));
                }, TaskCreationOptions.LongRunning)));
            foreach (var each in started) await each.Temp.Cleanup;
            foreach (var each in started) Assert.True(File.Exists(each.File.Path));
            foreach (var each in started) each.Temp.Dispose();
            Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
        }
    }

    [Fact]
    public async Task A_folder_that_somebody_deleted_is_made_anew_with_its_lock()
    {
        using var temp = new TempFolders(_root);

        // It would take the folder for a leftover while it is deleted here.
        await temp.Cleanup;
        using var first = temp.Create("run");
        var before = temp.Folder;
        Directory.Delete(Path.GetDirectoryName(first.Path)!, recursive: true);
        for (var i = 0; i < 65; i++) temp.Create("run").Dispose();
        Assert.Equal(before, temp.Folder);

        Directory.Delete(_root, recursive: true);
        using var second = temp.Create("run");
        Assert.NotEqual(before, temp.Folder);
        Assert.True(File.Exists(temp.Folder + ".lock"));
        Assert.True(File.Exists(second.Path));
    }

    [Fact]
    public void A_full_disk_names_the_folder_its_space_and_the_option()
    {
        var disk = new FaultyDisk { Room = 3000 };
        using var temp = new TempFolders(_root, disk);
        using var file = temp.Create("run");
        file.Append(new byte[2000]);
        var error = Assert.Throws<TempFolderException>(() => file.Append(new byte[2000]));
        Assert.Equal(1000, error.FreeBytes);
        Assert.Contains(_root, error.Folder);
        Assert.Contains(_root, error.Message);
        Assert.Contains("No space left on device. Free space there: 1000 bytes", error.Message);
        Assert.Contains("DataflowOptions.TempFolder", error.Message);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_names_the_option()
    {
        // A file in its place stops root too, for whom permissions don't count.
        File.WriteAllText(_root, "in the way");
        try
        {
            using var temp = new TempFolders(Path.Combine(_root, "below"));
            var error = Assert.Throws<TempFolderException>(() => temp.Create("run"));
            Assert.Contains("Could not make a folder for temporary data", error.Message);
            Assert.Contains("DataflowOptions.TempFolder", error.Message);
            Assert.IsAssignableFrom<IOException>(error.InnerException);
        }
        finally
        {
            File.Delete(_root);
        }
    }

    [Fact]
    public void A_finished_file_refuses_writes()
    {
        using var temp = new TempFolders(_root);
        using var file = temp.Create("run");
        file.Finish();
        Assert.Throws<InvalidOperationException>(() => file.Append([1]));
    }
}
