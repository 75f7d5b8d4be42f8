using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Processes in which vector instructions are off, so that the narrower paths of kernels run too.</summary>
internal static class InstructionSets
{
    public static void AssertIsOff(string set)
    {
        var isOff = set switch
        {
            "avx512" => !Avx512F.IsSupported && !Vector512.IsHardwareAccelerated,
            "avx2" => !Avx2.IsSupported && !Vector256.IsHardwareAccelerated,
            _ => throw new ArgumentException($"'{set}' is neither avx512 nor avx2."),
        };
        if (!isOff) throw new InvalidOperationException($"{set} is still on: the checks would prove nothing.");
    }

    /// <summary>Runs the checks of kernels without a set of instructions.</summary>
    public static void RunWithout(string set, string variable)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", typeof(InstructionSets).Assembly.Location, "kernels", set])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[variable] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && output.Contains("kernels agree", StringComparison.Ordinal), $"Without {set}: {output}{errors.Result}");
    }
}
