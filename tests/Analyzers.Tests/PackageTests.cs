using Dataflow.TestKit;

namespace Dataflow.Analyzers.Tests;

/// <summary>The analyzer is in the engine's package, and works for a program that references it.</summary>
public sealed class PackageTests
{
    [Fact]
    public void A_program_that_references_the_package_is_warned_when_it_is_built()
    {
        using var folder = new TempDirectory();
        var packed = Dotnet.Run(RepositoryRoot.Path, "pack", "Engine", "--no-build", "-c", Dotnet.Configuration, "-o", folder.Path, "--nologo");
        Assert.True(packed.ExitCode == 0, packed.Output);
        var package = Assert.Single(Directory.GetFiles(folder.Path, "*.nupkg"));
        var version = Path.GetFileNameWithoutExtension(package)["Dataflow.Engine.".Length..];
        File.WriteAllText(Path.Combine(folder.Path, "Program.cs"), """
            using Dataflow;
            using var context = DataflowContext.Local(1);
            var n = 0;
            context.Range(0, 10).ForEach(x => n++);
            context.Parallelize([("a", 1)]).ReduceByKey((a, b) => a + context.DefaultParallelism);
            """);
        File.WriteAllText(Path.Combine(folder.Path, "program.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <RestoreSources>{folder.Path}</RestoreSources>
                <RestorePackagesPath>{Path.Combine(folder.Path, "packages")}</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Dataflow.Engine" Version="{version}" /></ItemGroup>
            </Project>
            """);
        var (exitCode, output) = Dotnet.Run(folder.Path, "build", "--nologo", "--disable-build-servers");
        Assert.True(exitCode == 0, output);
        Assert.Contains("Program.cs(4,35): warning DF0001: The lambda given to ForEach writes the captured variable 'n' (Int32).", output);
        Assert.Contains("Program.cs(5,59): warning DF0002: The lambda given to ReduceByKey uses 'context' (DataflowContext) inside a task", output);
        Assert.Contains("2 Warning(s)", output);
    }
}
