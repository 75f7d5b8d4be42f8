using Dataflow.MLlib.TreeGrowth;
using Dataflow.MLlib.TreeObjectives;
using Dataflow.MLlib.Trees;

namespace Dataflow.MLlib.Tests.Trees;

/// <summary>The same trees, bit for bit, however rows are shared out.</summary>
public sealed class SameBitsTests
{
    public static TheoryData<string> Cases => new(TreeChecksFingerprints.Cases.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Threads_blocks_and_shards_do_not_change_a_bit(string name)
    {
        var (data, options) = TreeChecksFingerprints.Cases[name]();
        var expected = TreeData.Fingerprint(data.Train(options));
        Assert.Equal(expected, TreeData.Fingerprint(data.Train(options, threads: 2)));
        Assert.Equal(expected, TreeData.Fingerprint(data.Train(options, threads: 3, blocks: 7)));
        Assert.Equal(expected, TreeData.Fingerprint(data.Train(options, shards: 2, blocks: 2)));
        Assert.Equal(expected, TreeData.Fingerprint(data.Train(options, shards: 3, threads: 2)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Training_goes_on_from_trees_as_if_it_had_never_stopped(string name)
    {
        var (data, options) = TreeChecksFingerprints.Cases[name]();
        if (options.Boosting == Boosting.Dart) return;
        var whole = data.Train(options);
        var half = data.Train(options with { Iterations = options.Iterations / 2 });
        Assert.Equal(TreeData.Fingerprint(whole), TreeData.Fingerprint(data.Train(options, threads: 2, before: half)));
    }

    [Fact]
    public void Dart_goes_on_from_trees_as_if_it_had_never_stopped()
    {
        var (data, options) = TreeChecksFingerprints.Cases["dart"]();
        var whole = data.Train(options);
        var half = data.Train(options with { Iterations = options.Iterations / 2 });
        Assert.Equal(TreeData.Fingerprint(whole), TreeData.Fingerprint(data.Train(options, before: half)));
    }

    [Fact]
    public void Few_slots_for_histograms_change_time_and_nothing_else()
    {
        var (data, options) = TreeChecksFingerprints.Cases["binary"]();
        var small = options with { Growth = options.Growth with { HistogramBytes = 1 } };
        Assert.Equal(TreeData.Fingerprint(data.Train(options)), TreeData.Fingerprint(data.Train(small)));
        Assert.Equal(TreeData.Fingerprint(data.Train(options)), TreeData.Fingerprint(data.Train(small, shards: 2)));
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Bits_do_not_depend_on_the_instruction_set(string set) => Assert.Equal(TreeChecksFingerprints.All(), Program.RunWithout(set, "trees"));
}
