using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dataflow.TestKit;

namespace Dataflow.Engine.Tests;

/// <summary>Keeps the arrows between projects, and a few rules of the house that no compiler knows.</summary>
public sealed class ArchitectureTests
{
    private static readonly string Root = RepositoryRoot.Path;

    /// <summary>Who may reference whom; an arrow includes all below it.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Engine"] = [],
        ["Sql"] = ["Engine"],
        ["MLlib"] = ["Sql", "Engine"],
        ["Streaming"] = ["Sql", "Engine"],
        ["Worker"] = ["Engine", "Sql"],
    };

    [Theory]
    [InlineData("Engine")]
    [InlineData("Sql")]
    [InlineData("MLlib")]
    [InlineData("Streaming")]
    [InlineData("Worker")]
    public void Projects_reference_only_what_lies_below_them(string project)
    {
        var file = Directory.GetFiles(Path.Combine(Root, project), "*.csproj").Single();
        var references = XDocument.Load(file).Descendants("ProjectReference")
            .Where(reference => reference.Attribute("ReferenceOutputAssembly")?.Value != "false")   // built before it, and no part of it
            .Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/').Split('/')[^2]);
        Assert.Empty(references.Except(Arrows[project]));
    }

    [Fact]
    public void Only_the_cluster_folder_knows_of_sockets()
    {
        var network = new Regex(@"System\.Net\.(Sockets|WebSockets|Http)|Microsoft\.AspNetCore", RegexOptions.Compiled);
        var offenders = SourcesOf("Engine")
            .Where(file => !Relative(file).StartsWith("Engine/Cluster/") && !Relative(file).StartsWith("Engine/Ui/"))
            .Where(file => network.IsMatch(File.ReadAllText(file)))
            .Select(Relative);
        Assert.Empty(offenders);
    }

    [Fact]
    public void Folders_are_one_level_deep_but_for_the_family_of_the_cluster()
    {
        var deep = Arrows.Keys.SelectMany(SourcesOf).Select(Relative)
            .Where(file => file.Count(c => c == '/') > (file.StartsWith("Engine/Cluster/") ? 3 : 2));
        Assert.Empty(deep);
    }

    [Fact]
    public void No_source_file_passes_500_lines()
    {
        var long_ = Arrows.Keys.SelectMany(SourcesOf).Where(file => File.ReadLines(file).Count() > 500).Select(Relative);
        Assert.Empty(long_);
    }

    [Fact]
    public void The_projects_of_the_solution_are_the_projects_of_the_tree()
    {
        var solution = Regex.Matches(File.ReadAllText(Path.Combine(Root, "Dataflow.sln")), @"""([^""]+\.csproj)""")
            .Select(match => match.Groups[1].Value.Replace('\\', '/')).Order();
        var tree = Directory.GetFiles(Root, "*.csproj", SearchOption.AllDirectories).Select(Relative)
            .Where(file => !file.Contains("/bin/") && !file.Contains("/obj/")).Order();
        Assert.Equal(tree, solution);
    }

    [Fact]
    public void Two_clones_in_different_folders_give_equal_module_ids()
    {
        using var clone = new TempDirectory();
        Assert.Equal(typeof(DataflowContext).Module.ModuleVersionId, BuildEngine(Path.Combine(clone.Path, "deeper", "still")));
    }

    // What analyzers say has no part in what is built.
    private static Guid BuildEngine(string folder)
    {
        foreach (var file in SourcesOf("Engine").Append(Path.Combine(Root, "Engine", "Dataflow.Engine.csproj"))
            .Concat(Directory.GetFiles(Root).Where(file => Path.GetExtension(file) is ".props" or ".targets" or ".json" or ".md" || Path.GetFileName(file) is "LICENSE" or ".editorconfig")))
        {
            var target = Path.Combine(folder, Relative(file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        var (exitCode, output) = Dotnet.Run(folder, "build", "Engine", "-c", Dotnet.Configuration, "--nologo", "-v", "quiet", "--disable-build-servers", "-p:RunAnalyzers=false");
        Assert.True(exitCode == 0, output);
        using var image = new PEReader(File.OpenRead(Path.Combine(folder, "Engine", "bin", Dotnet.Configuration, "net10.0", "Dataflow.Engine.dll")));
        var metadata = image.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }

    private static IEnumerable<string> SourcesOf(string project) => Directory
        .EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories)
        .Where(file => !Relative(file).Contains("/bin/") && !Relative(file).Contains("/obj/"));

    private static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');
}
