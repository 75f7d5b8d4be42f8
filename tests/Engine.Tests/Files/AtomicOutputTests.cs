using System.Text;
using Dataflow.Errors;
using Dataflow.Files;
using Dataflow.Scheduling;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Files;

public sealed class AtomicOutputTests : IDisposable
{
    private readonly Scratch _scratch = new();

    [Fact]
    public void Parts_appear_together_with_a_marker_and_nothing_else_is_left()
    {
        using (var output = AtomicOutput.Begin(_scratch["out"], 2))
        {
            var second = Run(output, 1, "two");
            var first = Run(output, 0, "one");
            Assert.False(Directory.Exists(_scratch["out"]));
            output.Commit([second, first]);
        }

        Assert.Equal(["out/_SUCCESS", "out/part-00000", "out/part-00001"], _scratch.Names);
        Assert.Equal("two", File.ReadAllText(_scratch["out/part-00001"]));
        Assert.Equal(0, new FileInfo(_scratch["out/_SUCCESS"]).Length);
    }

    [Fact]
    public void A_job_that_ends_without_commit_leaves_nothing()
    {
        using (var output = AtomicOutput.Begin(_scratch["out"], 2)) Run(output, 0, "one");
        Assert.Empty(_scratch.Names);
        Assert.DoesNotContain(Directory.GetDirectories(_scratch.Folder), folder => !folder.EndsWith(".temp"));
    }

    [Fact]
    public void A_task_that_fails_or_is_cancelled_drops_its_files()
    {
        using var output = AtomicOutput.Begin(_scratch["out"], 1);
        using (var task = _scratch.Task())
        {
            using var failed = output.Plan.OpenTask(task);
            failed.Create("part-00000").Stream.Write("half"u8);
        }
        using (var task = _scratch.Task(attempt: 1))
        {
            using var cancelled = output.Plan.OpenTask(task);
            using (var file = cancelled.Create("part-00000")) file.Complete(0);
            task.Cancel();
            Assert.Throws<OperationCanceledException>(cancelled.Commit);
        }

        Assert.Equal(["_lock.out", $"{FilePath.NameOf(output.Plan.Temporary)}/_job"], _scratch.Names);
        output.Commit([Run(output, 0, "whole", attempt: 2)]);
        Assert.Equal("whole", File.ReadAllText(_scratch["out/part-00000"]));
    }

    [Fact]
    public void Of_two_attempts_only_the_one_the_driver_grants_may_commit()
    {
        var coordinator = new FirstAsks();
        using var services = new ExecutorServices(default, default, _scratch.Options) { Commits = coordinator };
        using var output = AtomicOutput.Begin(_scratch["out"], 1);
        using var slow = _scratch.Task(attempt: 0, services: services);
        using var copy = _scratch.Task(attempt: 1, services: services);

        TaskCommit committed;
        using (var slowOutput = output.Plan.OpenTask(slow))
        using (var copyOutput = output.Plan.OpenTask(copy))
        {
            Fill(slowOutput, "part-00000", "slow");
            Fill(copyOutput, "part-00000", "copy");
            committed = copyOutput.Commit();
            var denied = Assert.Throws<CommitDeniedException>(slowOutput.Commit);
            Assert.Contains("task 0 of stage 0", denied.Message);
        }
        output.Commit([committed]);

        Assert.Equal("copy", File.ReadAllText(_scratch["out/part-00000"]));
        Assert.Equal(["out/_SUCCESS", "out/part-00000"], _scratch.Names);
    }

    [Fact]
    public void An_attempt_that_was_granted_but_whose_result_did_not_count_does_not_mix_in()
    {
        using var output = AtomicOutput.Begin(_scratch["out"], 1);
        Run(output, 0, "lost with its executor");
        output.Commit([Run(output, 0, "the one that counts", attempt: 1)]);

        Assert.Equal(["out/_SUCCESS", "out/part-00000"], _scratch.Names);
        Assert.Equal("the one that counts", File.ReadAllText(_scratch["out/part-00000"]));
    }

    [Fact]
    public void A_task_that_outlives_its_job_is_refused_and_leaves_nothing()
    {
        var output = AtomicOutput.Begin(_scratch["out"], 1);
        using var task = _scratch.Task();
        var late = output.Plan.OpenTask(task);
        output.Dispose();
        Fill(late, "part-00000", "late");

        Assert.Contains("has ended", Assert.Throws<OutputException>(late.Commit).Message);
        late.Dispose();
        Assert.Empty(_scratch.Names);
        Assert.Throws<OutputException>(() => output.Plan.OpenTask(task));
    }

    [Fact]
    public void Existing_output_is_refused_before_any_work()
    {
        _scratch.Write("out/old", "old");
        var error = Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["out"], 1));

        Assert.Contains($"'{_scratch["out"]}' exists already: a folder with 1 entries", error.Message);
        Assert.Contains("overwrite: true", error.Message);
        _scratch.Write("file", "12345");
        Assert.Contains("a file of 5 bytes", Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["file"], 1)).Message);
        Assert.Equal(["file", "out/old"], _scratch.Names);
    }

    [Fact]
    public void An_empty_folder_counts_as_nothing()
    {
        Directory.CreateDirectory(_scratch["out"]);
        using var output = AtomicOutput.Begin(_scratch["out"], 1);
        output.Commit([Run(output, 0, "x")]);
        Assert.Equal(["out/_SUCCESS", "out/part-00000"], _scratch.Names);
    }

    [Fact]
    public void Overwriting_keeps_the_old_until_the_new_is_complete()
    {
        _scratch.Write("out/old", "old");
        using (var failing = AtomicOutput.Begin(_scratch["out"], 1, ExistingOutput.Replace)) Run(failing, 0, "never committed");
        Assert.Equal(["out/old"], _scratch.Names);

        using var output = AtomicOutput.Begin(_scratch["out"], 1, ExistingOutput.Replace);
        var task = Run(output, 0, "new");
        Assert.Equal("old", File.ReadAllText(_scratch["out/old"]));
        output.Commit([task]);
        Assert.Equal(["out/_SUCCESS", "out/part-00000"], _scratch.Names);
    }

    [Fact]
    public void If_the_new_output_can_not_take_the_place_the_old_comes_back()
    {
        var system = new FaultyFileSystem();
        _scratch.Write("out/old", "old");
        using (var output = AtomicOutput.Begin(system.Of(_scratch["out"]), 1, ExistingOutput.Replace))
        {
            var task = Run(output, 0, "new");
            system.Before = (operation, path) =>
            {
                if (operation == "Rename" && path.EndsWith("/output")) throw new IOException("The link is down");
            };
            var error = Assert.Throws<OutputException>(() => output.Commit([task]));
            Assert.Contains("The link is down", error.Message);
        }
        Assert.Equal(["out/old"], _scratch.Names);
    }

    [Fact]
    public void Names_of_a_durable_output_are_on_the_disk_when_the_commit_returns()
    {
        var system = new FaultyFileSystem();
        using (var output = AtomicOutput.Begin(system.Of(_scratch["out"]), 1, durable: true))
        {
            var task = Run(output, 0, "rows");
            Assert.DoesNotContain(system.Log, line => line.StartsWith("FlushFolder"));
            output.Commit([task]);
        }
        Assert.Equal(["FlushFolder " + Path.GetFileName(_scratch.Folder), "FlushFolder out"], system.Log[(system.Log.IndexOf("Rename output -> out") + 1)..]);

        system.Log.Clear();
        using (var output = AtomicOutput.Begin(system.Of(_scratch["quick"]), 1)) output.Commit([Run(output, 0, "rows")]);
        Assert.DoesNotContain(system.Log, line => line.StartsWith("FlushFolder"));

        system.Before = (operation, _) =>
        {
            if (operation == "FlushFolder") throw new IOException("The disk is broken");
        };
        using var failing = AtomicOutput.Begin(system.Of(_scratch["other"]), 1, durable: true);
        Assert.Contains("The disk is broken", Assert.Throws<OutputException>(() => failing.Commit([Run(failing, 0, "rows")])).Message);
    }

    [Fact]
    public void Output_that_came_meanwhile_is_not_replaced_unasked()
    {
        using (var output = AtomicOutput.Begin(_scratch["out"], 1))
        {
            var task = Run(output, 0, "mine");
            _scratch.Write("out/theirs", "theirs");
            Assert.Contains("exists already", Assert.Throws<OutputException>(() => output.Commit([task])).Message);
        }
        Assert.Equal(["out/theirs"], _scratch.Names);
    }

    [Fact]
    public void A_second_job_on_the_same_path_is_refused_until_the_first_has_ended()
    {
        var first = AtomicOutput.Begin(_scratch["out"], 1);
        Assert.Contains("Another job is writing to", Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["out"], 1, ExistingOutput.Replace)).Message);
        using (AtomicOutput.Begin(_scratch["out2"], 1)) { }
        first.Dispose();
        using var second = AtomicOutput.Begin(_scratch["out"], 1);
    }

    [Fact]
    public void Without_locks_two_jobs_do_not_mix_and_the_second_to_end_is_refused()
    {
        var path = new FaultyFileSystem().Of(_scratch["out"]);
        using (var first = AtomicOutput.Begin(path, 1))
        using (var second = AtomicOutput.Begin(path, 1))
        {
            var (a, b) = (Run(first, 0, "first"), Run(second, 0, "second"));
            second.Commit([b]);
            Assert.Throws<OutputException>(() => first.Commit([a]));
        }
        Assert.Equal(["out/_SUCCESS", "out/part-00000"], _scratch.Names);
        Assert.Equal("second", File.ReadAllText(_scratch["out/part-00000"]));
    }

    [Fact]
    public void What_a_crashed_run_left_is_removed_and_an_old_output_it_had_moved_away_comes_back()
    {
        var id = Guid.NewGuid().ToString("N");
        _scratch.Write($"_temporary.out.{id}/attempt-3/part-00000", "half");
        _scratch.Write($"_temporary.out.{id}/replaced/old", "old");
        _scratch.Write($"_temporary.out.x.{id}/part", "of another output, out.x");

        var error = Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["out"], 1));
        Assert.Contains("exists already", error.Message);
        Assert.Equal([$"_temporary.out.x.{id}/part", "out/old"], _scratch.Names);
    }

    [Fact]
    public void A_full_disk_is_named_with_the_file_and_its_room()
    {
        var system = new FaultyFileSystem();
        using (var output = AtomicOutput.Begin(system.Of(_scratch["out"]), 1))
        {
            using var task = _scratch.Task();
            using var writing = output.Plan.OpenTask(task);
            using var file = writing.Create("part-00000");
            system.Room = 300_000;
            var error = Assert.Throws<OutputException>(() =>
            {
                for (var i = 0; i < 100; i++) file.Stream.Write(new byte[10_000]);
            });
            Assert.Contains("part-00000' failed after 2", error.Message);
            Assert.Contains("bytes). The disk is full", error.Message);
            Assert.Contains("No space left on device", error.Message);
            Assert.EndsWith("/part-00000", error.Path);
            system.Room = long.MaxValue;
        }
        Assert.Empty(_scratch.Names);
    }

    [Fact]
    public void A_folder_that_can_not_be_written_is_an_error_before_any_work()
    {
        _scratch.Write("file", "");
        Assert.Contains("Writing", Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["file/out"], 1)).Message);

        var system = new FaultyFileSystem
        {
            Before = (operation, _) =>
            {
                if (operation == "CreateFolder") throw new UnauthorizedAccessException("Access denied");
            },
        };
        var error = Assert.Throws<OutputException>(() => AtomicOutput.Begin(system.Of(_scratch["out"]), 1));
        Assert.Contains("may not be written by user", error.Message);
        Assert.Throws<OutputException>(() => AtomicOutput.Begin("/", 1));
        Assert.Contains("working folder", Assert.Throws<OutputException>(() => AtomicOutput.Begin(".", 1, ExistingOutput.Replace)).Message);
    }

    [Fact]
    public void Appended_parts_come_beside_the_old_ones()
    {
        using (var first = AtomicOutput.Begin(_scratch["out"], 1, ExistingOutput.Append)) first.Commit([Run(first, 0, "one")]);
        using (var second = AtomicOutput.Begin(_scratch["out"], 1, ExistingOutput.Append)) second.Commit([Run(second, 0, "two", name: "day=1/x")]);

        var parts = _scratch.Names;
        Assert.Equal(3, parts.Length);
        Assert.Contains("out/_SUCCESS", parts);
        Assert.Equal(["one", "two"], parts.Where(name => name != "out/_SUCCESS").Select(name => File.ReadAllText(_scratch[name])).Order());
    }

    [Fact]
    public void One_file_has_its_parts_in_order_and_replaces_only_when_asked()
    {
        using (var output = AtomicOutput.Begin(_scratch["all.txt"], 3, singleFile: true))
            output.CommitAsOneFile([Run(output, 2, "c"), Run(output, 0, "a"), Run(output, 1, "")]);
        Assert.Equal("ac", File.ReadAllText(_scratch["all.txt"]));
        Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["all.txt"], 1, singleFile: true));

        using (var output = AtomicOutput.Begin(_scratch["all.txt"], 1, ExistingOutput.Replace, singleFile: true)) output.CommitAsOneFile([Run(output, 0, "new")]);
        Assert.Equal("new", File.ReadAllText(_scratch["all.txt"]));
        Assert.Equal(["all.txt"], _scratch.Names);
        Directory.CreateDirectory(_scratch["folder"]);
        Assert.Contains("is a folder", Assert.Throws<OutputException>(() => AtomicOutput.Begin(_scratch["folder"], 1, ExistingOutput.Replace, true)).Message);
    }

    [Fact]
    public void Names_of_parts_sort_as_their_numbers_do()
    {
        Assert.Equal("part-00007.gz", new OutputPlan("/x", "/t", 8, "").PartName(7, ".gz"));
        Assert.Equal("part-000007", new OutputPlan("/x", "/t", 100_001, "").PartName(7, ""));
    }

    [Fact]
    public void A_commit_without_every_partition_is_refused()
    {
        using var output = AtomicOutput.Begin(_scratch["out"], 2);
        var task = Run(output, 0, "x");
        Assert.Throws<InvalidOperationException>(() => output.Commit([task]));
        Assert.Throws<InvalidOperationException>(() => output.Commit([task, task]));
    }

    public void Dispose() => _scratch.Dispose();

    private TaskCommit Run(AtomicOutput output, int partition, string text, int attempt = 0, string? name = null)
    {
        using var task = _scratch.Task(partition, attempt);
        using var writing = output.Plan.OpenTask(task);
        Fill(writing, name ?? output.Plan.PartName(partition, ""), text);
        return writing.Commit();
    }

    private static void Fill(TaskOutput output, string name, string text)
    {
        using var file = output.Create(name);
        file.Stream.Write(Encoding.UTF8.GetBytes(text));
        file.Complete(1);
    }

    private sealed class FirstAsks : ICommitCoordinator
    {
        private readonly Dictionary<int, TaskId> _granted = [];

        public bool MayCommit(TaskDescription task) => _granted.TryAdd(task.Partition, task.Id) || _granted[task.Partition] == task.Id;
    }
}
