using Dataflow.Diagnostics;
using Dataflow.Fusion;
using Dataflow.Storage;
using Dataflow.Tasks;

namespace Dataflow.Engine.Tests.Fusion;

public class NarrowPipelineTests
{
    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Each_input_chunk_gives_at_most_one_output_chunk_and_none_waits_for_another(Mode mode)
    {
        var source = new SourceRdd<int>(Enumerable.Range(0, 300).ToArray(), length: 1);
        var rdd = source.Map(x => x + 1).Filter(x => x % 3 == 0).Map(x => x.ToString());
        using var task = NarrowRun.Task(mode);
        using var reader = NarrowRun.Open(rdd, task);
        for (var i = 1; i <= 100; i++)
        {
            Assert.True(reader.TryRead(out var chunk));
            Assert.Equal([$"{i * 3}"], chunk.ToArray());
            Assert.Equal(i * 3, source.ChunksRead);
        }
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Chunks_of_any_length_pass(Mode mode)
    {
        var items = Enumerable.Range(0, 7000).ToArray();
        foreach (var length in new[] { 1, 2, 3, 99, 100, 101, 1023, 1024, 1025, 3000, 7000, 9999 })
        {
            var rdd = new SourceRdd<int>(items, length).Map(x => x * 2).Filter(x => x % 3 != 0);
            Assert.Equal(items.Select(x => x * 2).Where(x => x % 3 != 0), NarrowRun.Collect(rdd, mode));
        }
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void A_partition_without_elements_gives_no_chunk(Mode mode)
    {
        Assert.Empty(NarrowRun.Chunks(new SourceRdd<int>([]).Map(x => x), mode));
        Assert.Empty(NarrowRun.Chunks(new SourceRdd<int>(new int[5000]).Filter(x => x > 0).FlatMap(x => new[] { x }), mode));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void An_exception_of_a_lambda_comes_through_unchanged_after_the_elements_before_it(Mode mode)
    {
        var rdd = new SourceRdd<int>(Enumerable.Range(0, 500).ToArray(), length: 10).Map(x => x * 2).Map(x => 1000 / (x - 600));
        using var task = NarrowRun.Task(mode);
        using var reader = NarrowRun.Open(rdd, task);
        for (var i = 0; i < 30; i++) Assert.True(reader.TryRead(out _));
        Assert.Throws<DivideByZeroException>(() => reader.TryRead(out _));
    }

    [Fact]
    public void The_retry_of_a_task_that_threw_runs_plain_operators_so_that_its_trace_names_the_lambda()
    {
        var rdd = new SourceRdd<int>([1, 0]).Map(x => 1 / x);
        using var retry = NarrowRun.Task(Mode.Fused, attempt: 1);
        using var reader = NarrowRun.Open(rdd, retry);
        var error = Assert.Throws<DivideByZeroException>(() => reader.TryRead(out _));
        Assert.Contains(nameof(The_retry_of_a_task_that_threw_runs_plain_operators_so_that_its_trace_names_the_lambda), error.StackTrace);
        Assert.False(FusionSupport.Fuses(retry));
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Cancellation_ends_a_task_at_its_next_chunk(Mode mode)
    {
        var source = new SourceRdd<int>(new int[10_000], length: 10);
        using var task = NarrowRun.Task(mode);
        using var reader = NarrowRun.Open(source.Map(x => x + 1).Filter(x => x > 0), task);
        for (var i = 0; i < 29; i++) Assert.True(reader.TryRead(out _));
        task.Cancel();
        Assert.Throws<OperationCanceledException>(() => reader.TryRead(out _));
        Assert.Equal(29, source.ChunksRead);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void The_source_is_disposed_once_the_reader_is_whether_it_was_read_or_not(Mode mode)
    {
        foreach (var chunks in new[] { 0, 1, 40, 1000 })
        {
            var source = new SourceRdd<int>(new int[5000], length: 10);
            using var task = NarrowRun.Task(mode);
            using (var reader = NarrowRun.Open(source.Map(x => x).FlatMap(x => new[] { x }), task))
            {
                for (var i = 0; i < chunks && reader.TryRead(out _); i++)
                {
                }
                Assert.Equal(0, source.Disposed);
            }
            Assert.Equal(1, source.Disposed);
        }
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void Operators_are_read_where_they_are_kept(Mode mode)
    {
        var source = new SourceRdd<int>([1, 2, 3]);
        var middle = source.Map(x => x + 1);
        var last = middle.Map(x => x * 10);
        Assert.Same(source, NarrowPipeline.EndingWith((INarrowOperator)last, null).Source);
        Assert.Equal([20, 30, 40], NarrowRun.Collect(last, mode));

        middle.SetStorageLevel(StorageLevel.MemoryOnly);
        var pipeline = NarrowPipeline.EndingWith((INarrowOperator)last, null);
        Assert.Same(middle, pipeline.Source);
        Assert.Same(pipeline, NarrowPipeline.EndingWith((INarrowOperator)last, pipeline));
        Assert.Same(source, NarrowPipeline.EndingWith((INarrowOperator)middle, null).Source);
    }

    [Theory, MemberData(nameof(NarrowRun.Modes), MemberType = typeof(NarrowRun))]
    public void What_the_consumer_let_go_is_not_kept_alive_by_a_buffer(Mode mode)
    {
        var made = new List<WeakReference>();
        var source = new SourceRdd<int>(new int[50], length: 10);
        var rdd = source.FlatMap(x => new[] { x, x }).Map(x => new object()).Filter(x =>
        {
            made.Add(new WeakReference(x));
            return made.Count % 3 != 0;
        });
        using var task = NarrowRun.Task(mode);
        using var reader = NarrowRun.Open(rdd, task);
        while (Read(reader))
        {
        }
        GC.Collect();
        Assert.Equal(100, made.Count);
        Assert.DoesNotContain(made, weak => weak.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static bool Read(ChunkReader<object> reader) => reader.TryRead(out _);
    }

    [Fact]
    public void Without_dynamic_code_operators_run_plainly_and_one_line_says_which_property_to_set()
    {
        var lines = new List<string>();
        using var task = NarrowRun.Task(Mode.Fused);
        RuntimeNotice.Reset();
        RuntimeNotice.Output = lines.Add;
        try
        {
            Assert.False(FusionSupport.Fuses(task, dynamicCode: false));
            Assert.False(FusionSupport.Fuses(task, dynamicCode: false));
        }
        finally
        {
            RuntimeNotice.Output = null;
        }
        Assert.Contains("<PublishAot>false</PublishAot>", Assert.Single(lines));
        Assert.Contains("#:property PublishAot=false", lines[0]);
        Assert.True(FusionSupport.Fuses(task));
    }

    [Fact]
    public async Task Tasks_of_a_stage_share_one_plan_and_one_kernel()
    {
        var rdd = new SourceRdd<int>(Enumerable.Range(0, 1000).ToArray(), length: 7).Map(x => x * 41).Filter(x => x % 2 == 1).Map(x => (long)x);
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => NarrowRun.Collect(rdd, Mode.Fused))));
        Assert.All(results, result => Assert.Equal(Enumerable.Range(0, 1000).Select(x => x * 41L).Where(x => x % 2 == 1), result));
    }
}
