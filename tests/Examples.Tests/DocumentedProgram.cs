using System.Text;
using Dataflow.TestKit;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Dataflow.Examples.Tests;

/// <summary>Compiles the program that stands in a document and runs it as a process of its own. How the SDK builds and runs programs of one file is shown by <see cref="QuickstartTests"/>.</summary>
internal static class DocumentedProgram
{
    // What the SDK adds to every program.
    private const string Implicit = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http;
        global using System.Threading; global using System.Threading.Tasks;
        """;

    private static readonly MetadataReference[] Framework = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(path => !path.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal)).Select(path => MetadataReference.CreateFromFile(path))];

    /// <summary>Runs a program that references the engine, in a folder that holds it and some files.</summary>
    /// <returns>The lines it printed.</returns>
    public static string[] Run(string program, params (string Path, string Text)[] files) => RunWith("Engine", program, files);

    /// <summary>As <see cref="Run"/>, of a program that references another of the project's libraries: it has that and what this brings.</summary>
    public static string[] RunWith(string library, string program, params (string Path, string Text)[] files)
    {
        using var folder = new TempDirectory();
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(folder.Path, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
        Build(library, program, folder.Path);
        var run = ExampleProgram.RunDotnet(folder.Path, "exec", Path.Combine(folder.Path, "program.dll"));
        Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
        return run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static void Build(string library, string program, string folder)
    {
        // An example that references all libraries has been built with them.
        var example = Path.GetDirectoryName(ExampleProgram.PathOf("FraudScoring"))!;
        var references = Framework.ToList();
        foreach (var name in LibrariesOf(library))
        {
            references.Add(MetadataReference.CreateFromFile(Path.Combine(example, name)));
            File.Copy(Path.Combine(example, name), Path.Combine(folder, name));
        }
        File.Copy(Path.Combine(example, "FraudScoring.runtimeconfig.json"), Path.Combine(folder, "program.runtimeconfig.json"));
        var compilation = CSharpCompilation.Create(
            "program",
            new[] { ("program.cs", program), ("implicit.cs", Implicit) }.Select(file => CSharpSyntaxTree.ParseText(SourceText.From(file.Item2, Encoding.UTF8), new CSharpParseOptions(LanguageVersion.Latest), file.Item1)),
            references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var output = File.Create(Path.Combine(folder, "program.dll"));
        var built = compilation.Emit(output);
        Assert.True(built.Success, string.Join('\n', built.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error)));
    }

    private static string[] LibrariesOf(string library) => library switch
    {
        "Engine" => ["Dataflow.Engine.dll"],
        "Streaming" => ["Dataflow.Engine.dll", "Dataflow.Sql.dll", "Dataflow.Streaming.dll"],
        "MLlib" => ["Dataflow.Engine.dll", "Dataflow.Sql.dll", "Dataflow.MLlib.dll", "MathNet.Numerics.dll"],
        _ => throw new ArgumentOutOfRangeException(nameof(library), library, "No document has a program with it."),
    };
}
