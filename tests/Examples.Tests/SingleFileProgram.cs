using System.Security.Cryptography;
using System.Text;
using Dataflow.TestKit;

namespace Dataflow.Examples.Tests;

/// <summary>Builds and runs programs of one file. Tests that do so share a collection: two builds at once could write one output.</summary>
internal static class SingleFileProgram
{
#if DEBUG
    public const string Configuration = "Debug";
#else
    public const string Configuration = "Release";
#endif

    /// <summary>Runs a program that references the engine, in a folder that holds it and some files.</summary>
    /// <returns>The lines it printed.</returns>
    public static string[] Run(string name, string program, params (string Path, string Text)[] files) => RunWith("Engine", name, program, files);

    /// <summary>As <see cref="Run"/>, of a program that references another of the project's libraries.</summary>
    public static string[] RunWith(string library, string name, string program, params (string Path, string Text)[] files)
    {
        // The same folder in each run, since the SDK keeps what it built for every path; another one for every clone.
        var clone = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(RepositoryRoot.Path)))[..8];
        var folder = Path.Combine(Path.GetTempPath(), $"dataflow-program-{clone}-{name}");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        var project = Path.Combine(RepositoryRoot.Path, library, $"Dataflow.{library}.csproj");
        foreach (var (path, text) in files.Append(("program.cs", $"#:property PublishAot=false\n#:project {project}\n{program}")))
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        try
        {
            var run = ExampleProgram.RunDotnet(folder, "run", "-c", Configuration, "program.cs");
            Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
            return run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
