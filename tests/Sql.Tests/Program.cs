using Dataflow.Sql.Tests.Kernels;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests;

/// <summary>What tests start this assembly for: checks that need a process of their own.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is not ["kernels", var set])
        {
            Console.Error.WriteLine("Usage: kernels avx512|avx2: runs the checks of kernels in a process where these instructions are off. Tests run with dotnet test.");
            return 2;
        }
        InstructionSets.AssertIsOff(set);
        KernelChecks.All();
        Console.WriteLine("kernels agree");
        return 0;
    }
}
