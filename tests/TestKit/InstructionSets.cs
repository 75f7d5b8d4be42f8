using System.Diagnostics;
using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Dataflow.TestKit;

/// <summary>Processes in which vector instructions are off: how loops behave on other machines.</summary>
public static class InstructionSets
{
    private static readonly Dictionary<string, string> Variables = new(StringComparer.Ordinal)
    {
        ["avx512"] = "DOTNET_EnableAVX512",
        ["avx2"] = "DOTNET_EnableAVX2",
    };

    /// <summary>Fails if the instructions are on in this process after all.</summary>
    /// <param name="set"><c>avx512</c> or <c>avx2</c>.</param>
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

    /// <summary>Starts a test assembly as a program in a process where instructions are off, and gives what it wrote. Fails if it fails.</summary>
    /// <param name="set"><c>avx512</c> or <c>avx2</c>.</param>
    /// <param name="program">The assembly; its Main asserts that the instructions are off.</param>
    /// <param name="arguments">Its arguments.</param>
    public static string RunWithout(string set, Assembly program, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(program);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["exec", program.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Variables[set]] = "0";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"Without {set}: {output}{errors.Result}");
        return output;
    }
}
