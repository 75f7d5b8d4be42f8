using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Kernels against plain loops over objects, with all instructions and with fewer.</summary>
public sealed class KernelOracleTests
{
    [Fact]
    public void Comparisons_agree_with_a_plain_loop() => KernelChecks.Comparisons();

    [Fact]
    public void Arithmetic_agrees_with_a_plain_loop_and_fails_for_the_same_rows() => KernelChecks.Arithmetic();

    [Fact]
    public void Decimals_agree_with_large_integers() => KernelChecks.Decimals();

    [Fact]
    public void Branches_agree_with_a_plain_loop() => KernelChecks.Branches();

    [Fact]
    public void Aggregates_agree_with_a_plain_loop() => KernelChecks.Aggregates();

    [Fact]
    public void All_of_it_holds_without_AVX_512() => RunWithout("avx512");

    [Fact]
    public void All_of_it_holds_without_AVX_2() => RunWithout("avx2");

    private static void RunWithout(string set) => Assert.Contains("kernels agree", InstructionSets.RunWithout(set, typeof(KernelOracleTests).Assembly, "kernels", set), StringComparison.Ordinal);
}
