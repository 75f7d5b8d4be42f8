using Dataflow.Collectives;
using Dataflow.Tasks;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests.Collectives;

/// <summary>Collectives between tasks of one process, which share memory.</summary>
public sealed class CollectiveTests : IDisposable
{
    private readonly DataflowContext _context = DataflowContext.Local(DataflowOptions.Default with { Threads = 5 });

    public void Dispose() => _context.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    [InlineData(2, 7)]
    [InlineData(2, 300_001)]
    [InlineData(3, 1)]
    [InlineData(3, 16_001)]
    [InlineData(5, 1000)]
    [InlineData(5, 2)]
    [InlineData(4, 16_385)]
    [InlineData(3, 500_003)]
    public void Doubles_are_summed_in_the_order_of_the_tasks(int tasks, int length)
    {
        var results = Run(tasks, barrier =>
        {
            var values = Values(barrier.TaskIndex, length);
            barrier.Collectives.AllReduce(values.AsSpan());
            return values;
        });
        var expected = InOrder(tasks, length, static (a, b) => a + b);
        foreach (var result in results) Assert.True(expected.AsSpan().SequenceEqual(result));
    }

    [Theory]
    [InlineData(2, 50)]
    [InlineData(3, 50)]
    [InlineData(5, 40_000)]
    public void A_combiner_that_does_not_commute_gets_tasks_in_order(int tasks, int length)
    {
        var results = Run(tasks, barrier =>
        {
            var values = new long[length];
            values.AsSpan().Fill(barrier.TaskIndex + 1);
            barrier.Collectives.AllReduce(values.AsSpan(), static (a, b) => (a * 10) + b);
            return values;
        });
        var expected = Enumerable.Range(1, tasks).Aggregate(0L, static (a, b) => (a * 10) + b);
        Assert.All(results, result => Assert.All(result, value => Assert.Equal(expected, value)));
    }

    [Fact]
    public void Least_and_greatest_treat_NaN_and_zeros_alike_wherever_they_lie()
    {
        // Eleven elements: some are reduced many at once, and some one by one.
        float[] first = [float.NaN, -0f, 0f, 1, 2, float.NaN, -0f, 0f, -1, float.NaN, 0f], second = [1, 0f, -0f, float.NaN, 1, 1, 0f, -0f, 3, float.NaN, -0f];
        var results = Run(2, barrier =>
        {
            float[] least = barrier.TaskIndex == 0 ? [.. first] : [.. second], greatest = [.. least];
            barrier.Collectives.AllReduce(least.AsSpan(), Reduction.Min);
            barrier.Collectives.AllReduce(greatest.AsSpan(), Reduction.Max);
            return least.Concat(greatest).Select(BitConverter.SingleToInt32Bits).ToArray();
        });
        var expected = first.Zip(second, MathF.Min).Concat(first.Zip(second, MathF.Max)).ToArray();
        foreach (var result in results)
        {
            for (var i = 0; i < expected.Length; i++)
            {
                if (float.IsNaN(expected[i]))
                    Assert.True(float.IsNaN(BitConverter.Int32BitsToSingle(result[i])), $"element {i}");
                else
                    Assert.Equal(BitConverter.SingleToInt32Bits(expected[i]), result[i]);
            }
        }
    }

    [Fact]
    public void Single_numbers_and_integers_are_reduced()
    {
        var results = Run(3, static barrier => new[]
        {
            barrier.Collectives.AllReduce(barrier.TaskIndex + 5),
            barrier.Collectives.AllReduce(barrier.TaskIndex + 5, Reduction.Max),
            (int)barrier.Collectives.AllReduce(barrier.TaskIndex - 5L, Reduction.Min),
            barrier.Collectives.AllReduce(int.MaxValue),
        });
        Assert.All(results, result => Assert.Equal([18, 7, -5, unchecked(int.MaxValue * 3)], result));
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 1)]
    [InlineData(3, 10)]
    [InlineData(4, 1_100_000)]
    public void Each_task_keeps_its_share_of_what_is_scattered(int tasks, int length)
    {
        var results = Run(tasks, barrier =>
        {
            var values = Values(barrier.TaskIndex, length);
            var before = (double[])values.Clone();
            var share = barrier.Collectives.ReduceScatter(values.AsSpan());
            Assert.Equal(barrier.Collectives.ShareOf(barrier.TaskIndex, length), share);
            Assert.True(before.AsSpan(..share.Start).SequenceEqual(values.AsSpan(..share.Start)));
            Assert.True(before.AsSpan(share.End..).SequenceEqual(values.AsSpan(share.End..)));
            return values[share];
        });
        Assert.True(InOrder(tasks, length, static (a, b) => a + b).AsSpan().SequenceEqual(results.SelectMany(static share => share).ToArray()));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 300_001)]
    [InlineData(3, 100)]
    [InlineData(4, 500_003)]
    public void Reductions_are_under_way_together_and_with_other_calls(int tasks, int length)
    {
        var results = Run(tasks, barrier =>
        {
            var group = barrier.Collectives;
            double[] first = Values(barrier.TaskIndex, length), second = Values(barrier.TaskIndex + 10, length), third = Values(barrier.TaskIndex, length);
            var one = group.BeginAllReduce<double>(first);
            var two = group.BeginAllReduce<double>(second);
            var three = group.BeginReduceScatter<double>(third);
            Assert.Equal(tasks, group.AllReduce(1));
            group.EndAllReduce(one, first.AsSpan());
            group.EndAllReduce(two, second.AsSpan(), Reduction.Max);
            return (First: first, Second: second, Share: third[group.EndReduceScatter(three, third.AsSpan())]);
        });
        var sums = InOrder(tasks, length, static (a, b) => a + b);
        var greatest = Enumerable.Range(0, tasks).Select(task => Values(task + 10, length)).Aggregate(static (a, b) => [.. a.Zip(b, Math.Max)]);
        foreach (var result in results)
        {
            Assert.True(sums.AsSpan().SequenceEqual(result.First));
            Assert.True(greatest.AsSpan().SequenceEqual(result.Second));
        }
        Assert.True(sums.AsSpan().SequenceEqual(results.SelectMany(static result => result.Share).ToArray()));
    }

    [Fact]
    public void Vectors_of_any_length_are_gathered_by_index()
    {
        static short[] Of(int task) => [.. Enumerable.Range(0, task * 700_000 / 3).Select(i => (short)(i + task))];
        var results = Run(4, static barrier => barrier.Collectives.AllGather<short>(Of(barrier.TaskIndex)));
        Assert.All(results, static result =>
        {
            for (var task = 0; task < 4; task++) Assert.Equal(Of(task), result[task]);
        });
    }

    [Theory]
    [InlineData(1, 3, 0)]
    [InlineData(3, 0, 2)]
    [InlineData(3, 10, 1)]
    [InlineData(3, 5_000_000, 1)]
    [InlineData(4, 200_001, 3)]
    public void All_get_what_the_root_brings(int tasks, int length, int root)
    {
        var results = Run(tasks, barrier =>
        {
            var values = new byte[length];
            if (barrier.TaskIndex == root) new Random(3).NextBytes(values);
            barrier.Collectives.Broadcast(values.AsSpan(), root);
            return values;
        });
        var expected = new byte[length];
        new Random(3).NextBytes(expected);
        Assert.All(results, result => Assert.True(expected.AsSpan().SequenceEqual(result)));
    }

    [Fact]
    public void Blocks_are_combined_in_order()
    {
        var results = Run(4, static barrier => barrier.Collectives.AllReduceBlocks(
            [.. Enumerable.Repeat((byte)barrier.TaskIndex, barrier.TaskIndex * 600_000)], static (a, b) => [.. a, .. b]));
        byte[] expected = [.. Enumerable.Range(0, 4).SelectMany(static task => Enumerable.Repeat((byte)task, task * 600_000))];
        Assert.All(results, result => Assert.True(expected.AsSpan().SequenceEqual(result)));
    }

    [Fact]
    public void No_task_passes_the_barrier_of_the_collectives_before_all_have_come()
    {
        var come = new int[1];
        var results = Run(4, barrier =>
        {
            Interlocked.Increment(ref come[0]);
            barrier.Collectives.Barrier();
            return Volatile.Read(ref come[0]);
        });
        Assert.Equal([4, 4, 4, 4], results);
    }

    [Fact]
    public void Many_rounds_in_a_row_do_not_mix()
    {
        var results = Run(3, static barrier =>
        {
            var sum = 0L;
            for (var round = 0; round < 500; round++)
            {
                sum += barrier.Collectives.AllReduce((long)round * barrier.TaskIndex);
                var root = new[] { barrier.TaskIndex * round };
                barrier.Collectives.Broadcast(root.AsSpan(), round % 3);
                sum += root[0];
            }
            return sum;
        });
        Assert.All(results, static sum => Assert.Equal(Enumerable.Range(0, 500).Sum(static round => (round * 3L) + (round % 3 * round)), sum));
    }

    [Fact]
    public void Tasks_that_were_shipped_get_the_same_bits()
    {
        using var shipping = ShippingBackend.Context(DataflowOptions.Default with { Threads = 3 });
        var length = 20_000;
        var results = shipping.Range(0, 3, partitions: 3).Barrier().MapPartitions((barrier, _) =>
        {
            var values = Values(barrier.TaskIndex, length);
            barrier.Collectives.AllReduce(values.AsSpan());
            return new[] { values };
        }).Collect();
        Assert.All(results, result => Assert.Equal(InOrder(3, length, static (a, b) => a + b), result));
    }

    [Fact]
    public void A_task_that_fails_between_two_rounds_restarts_all()
    {
        var results = Run(3, static barrier =>
        {
            var values = new[] { 1.0 + barrier.TaskIndex };
            for (var round = 0; round < 10; round++)
            {
                if (barrier is { StageAttempt: 0, TaskIndex: 1 } && round == 6) throw new FormatException("n/a");
                barrier.Collectives.AllReduce(values.AsSpan());
            }
            return (barrier.StageAttempt, values[0]);
        });
        Assert.Equal(Enumerable.Repeat((1, 6 * Math.Pow(3, 9)), 3), results);
    }

    [Fact]
    public void A_task_that_ends_early_is_named()
    {
        var error = Assert.Throws<JobFailedException>(() => Run(3, static barrier =>
        {
            barrier.Collectives.Barrier();
            return barrier.TaskIndex == 2 ? 0 : barrier.Collectives.AllReduce(1);
        }));
        Assert.Contains("AllReduce()", error.Message);
        Assert.Contains("task 2 ended without it", error.Message);
    }

    [Fact]
    public void Calls_that_differ_are_named()
    {
        var error = Assert.Throws<JobFailedException>(() => Run(2, static barrier =>
        {
            if (barrier.TaskIndex == 0) return barrier.Collectives.AllReduce(1);
            return barrier.Collectives.AllGather<int>([1]).Length;
        }));
        Assert.True(error.Message.Contains("task 1 called AllGather()") || error.Message.Contains("task 0 called AllReduce()"), error.Message);
    }

    [Fact]
    public void Lengths_that_differ_are_named()
    {
        var error = Assert.Throws<JobFailedException>(() => Run(2, static barrier =>
        {
            barrier.Collectives.AllReduce(new double[3 + barrier.TaskIndex].AsSpan());
            return 0;
        }));
        Assert.Contains("vectors of equal length", error.Message);
        Assert.Contains("24", error.Message);
        Assert.Contains("32", error.Message);
    }

    [Fact]
    public void A_task_that_does_not_come_is_named_after_the_deadline()
    {
        var error = Assert.Throws<JobFailedException>(() => Run(2, barrier =>
        {
            barrier.Collectives.Barrier();
            if (barrier.TaskIndex == 1)
            {
                barrier.CancellationToken.WaitHandle.WaitOne();
                return 0;
            }
            return barrier.Collectives.AllReduce(1, timeout: TimeSpan.FromMilliseconds(20));
        }));
        Assert.Contains("task 1 did not come in time", error.Message);
        Assert.Contains("BarrierTimeout", error.Message);
    }

    [Fact]
    public void Arguments_are_checked()
    {
        var error = Assert.Throws<JobFailedException>(() => Run(2, static barrier =>
        {
            barrier.Collectives.Broadcast(new int[1].AsSpan(), root: 2);
            return 0;
        }));
        Assert.Contains("root", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_does_not_end_what_was_begun_is_named_at_once(int tasks)
    {
        var errors = Run(tasks, static barrier =>
        {
            var group = barrier.Collectives;
            var values = new long[6];
            var pending = group.BeginAllReduce<long>(values);
            var scattered = group.BeginReduceScatter<long>(values);
            List<string> said =
            [
                Assert.Throws<InvalidOperationException>(() => group.EndAllReduce(default, values.AsSpan())).Message,
                Assert.Throws<InvalidOperationException>(() => group.EndReduceScatter(pending, values.AsSpan())).Message,
                Assert.Throws<InvalidOperationException>(() => group.EndAllReduce(pending, values.AsSpan(1))).Message,
            ];
            group.EndAllReduce(pending, values.AsSpan());
            said.Add(Assert.Throws<InvalidOperationException>(() => group.EndAllReduce(pending, values.AsSpan())).Message);

            // Nothing is spoilt for what goes on.
            group.EndReduceScatter(scattered, values.AsSpan());
            Assert.Equal(barrier.TaskCount, group.AllReduce(1));
            var other = new Thread(() => said.Add(Assert.Throws<InvalidOperationException>(() => group.EndAllReduce(pending, values.AsSpan())).Message));
            other.Start();
            other.Join();
            return said;
        });
        Assert.All(errors, static said => Assert.Collection(
            said,
            static message => Assert.Contains("was not begun here", message),
            static message => Assert.Contains("End it with EndAllReduce()", message),
            static message => Assert.Contains("given 40 bytes to end a reduction that began with 48", message),
            static message => Assert.Contains("ended already", message),
            static message => Assert.Contains("own thread", message)));
    }

    private TResult[] Run<TResult>(int tasks, Func<BarrierTaskContext, TResult> body) =>
        _context.Range(0, tasks, partitions: tasks).Barrier().MapPartitions((barrier, _) => new[] { body(barrier) }).Collect();

    private static double[] Values(int task, int length)
    {
        // Of very different sizes: another order gives other bits.
        var random = new Random(task + 17);
        var values = new double[length];
        for (var i = 0; i < length; i++) values[i] = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-12, 12));
        return values;
    }

    private static double[] InOrder(int tasks, int length, Func<double, double, double> combine) => Enumerable.Range(1, tasks - 1)
        .Aggregate(Values(0, length), (sum, task) => [.. sum.Zip(Values(task, length), combine)]);
}
