using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dataflow.MLlib.Data;

namespace Dataflow.MLlib;

/// <summary>
/// A saved stage: <c>metadata.json</c> with format, class, parameters and small values, and files beside it: numbers as <c>.npy</c> arrays, which other tools
/// read too. What a stage writes in <see cref="PipelineStage.Write"/> its constructor that takes a folder reads.
/// </summary>
public sealed class ModelFolder
{
    /// <summary>The version this build writes, and the latest it reads.</summary>
    public const int Version = 1;

    private const string Format = "dataflow-mllib";
    private const string MetadataName = "metadata.json";

    // Pipelines of searches of pipelines: nobody nests them this deep, and beyond a few thousand levels the stack ends.
    private const int DeepestNesting = 64;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
        IncludeFields = true,
    };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonObject _values;
    private readonly int _depth;

    private ModelFolder(string path, JsonObject values, int depth = 0)
    {
        Path = path;
        _values = values;
        _depth = depth;
    }

    /// <summary>Where it is. While a stage is written, under another name.</summary>
    public string Path { get; }

    /// <summary>Keeps a small value in <c>metadata.json</c>: anything that System.Text.Json writes.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">The value.</param>
    public void Set<T>(string name, T value) => _values[name] = JsonSerializer.SerializeToNode(value, Json);

    /// <summary>Whether <see cref="Set{T}"/> kept a value of this name.</summary>
    /// <param name="name">Its name.</param>
    public bool Contains(string name) => _values.ContainsKey(name);

    /// <summary>A value that <see cref="Set{T}"/> kept.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ModelFormatException">It is not there, or of another type.</exception>
    public T Get<T>(string name)
    {
        if (!_values.TryGetPropertyValue(name, out var node)) throw Broken($"'{name}' is missing in 'values'");
        try
        {
            return node is null && default(T) is null ? default! : node.Deserialize<T>(Json)!;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw Broken($"'{name}' is no {typeof(T).Name}", e);
        }
    }

    /// <summary>Writes numbers as an array of NumPy's format, <c>NAME.npy</c>.</summary>
    /// <typeparam name="T">float, double, or an integer type.</typeparam>
    /// <param name="name">The file's name without ending.</param>
    /// <param name="values">The numbers, row by row.</param>
    /// <param name="columns">Numbers of a row; 0 for a plain list.</param>
    public void WriteArray<T>(string name, ReadOnlySpan<T> values, int columns = 0) where T : unmanaged
    {
        using var stream = File.Create(FileOf(name + ".npy"));
        Npy.Write(stream, values, columns);
    }

    /// <summary>Reads what <see cref="WriteArray{T}"/> wrote.</summary>
    /// <typeparam name="T">The type that was written.</typeparam>
    /// <param name="name">The file's name without ending.</param>
    /// <exception cref="ModelFormatException">The file is missing, damaged, or of another type.</exception>
    public T[] ReadArray<T>(string name) where T : unmanaged
    {
        try
        {
            return Npy.Read<T>(FileOf(name + ".npy")).Values;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw Broken($"file '{name}.npy' can't be read: {e.Message}", e);
        }
    }

    /// <summary>Writes a text file.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="text">What it holds.</param>
    public void WriteText(string name, string text) => File.WriteAllText(FileOf(name), text);

    /// <summary>Reads a text file.</summary>
    /// <param name="name">The file's name.</param>
    /// <exception cref="ModelFormatException">It can't be read.</exception>
    public string ReadText(string name)
    {
        try
        {
            return File.ReadAllText(FileOf(name));
        }
        catch (IOException e)
        {
            throw Broken($"file '{name}' can't be read: {e.Message}", e);
        }
    }

    /// <summary>Writes stages into folders of their own: <c>stages/0_StringIndexer</c> and so on.</summary>
    /// <param name="stages">The stages.</param>
    public void WriteStages(IReadOnlyList<PipelineStage> stages)
    {
        var names = stages.Select((stage, i) => $"{i}_{stage.GetType().Name}").ToArray();
        Set("stages", names);
        for (var i = 0; i < stages.Count; i++) WriteTo(stages[i], FileOf(System.IO.Path.Combine("stages", names[i])));
    }

    /// <summary>Reads what <see cref="WriteStages"/> wrote.</summary>
    /// <exception cref="ModelFormatException">A stage can't be read.</exception>
    public ValueList<PipelineStage> ReadStages()
    {
        var names = Get<string[]>("stages") ?? throw Broken("'stages' is null");
        if (names.Length > 0 && _depth == DeepestNesting) throw Broken($"stages lie in stages more than {DeepestNesting} deep");
        if (Array.FindIndex(names, name => !IsFolderName(name)) is var bad and >= 0)
            throw Broken($"'{names[bad]}' is no name of a stage's folder. Each stage lies in a folder of its own below 'stages'");
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw Broken($"the stage '{twice.Key}' is named twice");
        return [.. names.Select(name => Read(FileOf(System.IO.Path.Combine("stages", name)), _depth + 1))];
    }

    // No way out of the folder, nor back to it.
    private static bool IsFolderName(string? name) =>
        !string.IsNullOrWhiteSpace(name) && name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0 && System.IO.Path.GetFileName(name) == name;

    internal static void Save(PipelineStage stage, string path, bool overwrite)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        path = System.IO.Path.GetFullPath(path);
        if (File.Exists(path)) throw new IOException($"'{path}' is a file. Give the name of a folder, which is made.");
        if (Directory.Exists(path) && !overwrite) throw new IOException($"The folder '{path}' is there already. Choose another, or pass overwrite: true to replace it.");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any() && !File.Exists(System.IO.Path.Combine(path, MetadataName)))
            throw new IOException($"The folder '{path}' holds something that is no saved model, and is not replaced. Choose another folder.");
        var written = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            WriteTo(stage, written);
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            Directory.Move(written, path);
        }
        finally
        {
            if (Directory.Exists(written)) Directory.Delete(written, recursive: true);
        }
    }

    internal static T Load<T>(string path) where T : PipelineStage
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var stage = Read(System.IO.Path.GetFullPath(path));
        return stage as T ?? throw new ModelFormatException($"'{path}' holds a {stage.GetType().Name}, and a {typeof(T).Name} is expected. Load it with {stage.GetType().Name}.Load.");
    }

    private static void WriteTo(PipelineStage stage, string path)
    {
        var type = stage.GetType();
        Directory.CreateDirectory(path);
        var parameters = new JsonObject();
        foreach (var property in StageParameters.Of(type)) parameters[property.Name] = JsonSerializer.SerializeToNode(ForJson(property.GetValue(stage)), Json);
        var values = new JsonObject();
        stage.Write(new ModelFolder(path, values));
        var metadata = new JsonObject
        {
            ["format"] = Format,
            ["version"] = Version,
            ["class"] = type.Assembly == typeof(PipelineStage).Assembly ? type.Name : type.AssemblyQualifiedName,
            ["parameters"] = parameters,
            ["values"] = values,
        };
        File.WriteAllText(System.IO.Path.Combine(path, MetadataName), metadata.ToJsonString(Json));
    }

    private static PipelineStage Read(string path, int depth = 0)
    {
        var file = System.IO.Path.Combine(path, MetadataName);
        if (!File.Exists(file)) throw new ModelFormatException($"There is no saved model in '{path}': it has no file '{MetadataName}'. Give the folder that Save wrote.");
        JsonObject metadata;
        try
        {
            metadata = JsonNode.Parse(File.ReadAllText(file), documentOptions: Strict) as JsonObject ?? throw new JsonException("It is no object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ModelFormatException($"'{file}' is damaged: {e.Message}", e);
        }
        var folder = new ModelFolder(path, metadata["values"] as JsonObject ?? [], depth);
        if (TextOf(metadata["format"]) != Format) throw folder.Broken($"it is not of the format '{Format}'");
        if (metadata["version"] is not JsonValue number || !number.TryGetValue<int>(out var version) || version < 1) throw folder.Broken("it has no version");
        if (version > Version) throw new ModelFormatException($"'{path}' is of version {version}, and this build of Dataflow reads up to {Version}. Use the build that wrote it, or a later one.");
        var type = TypeOf(TextOf(metadata["class"]), folder);
        var stage = folder.Make(type);
        folder.Apply(stage, metadata["parameters"] as JsonObject ?? throw folder.Broken("'parameters' is missing"));
        return stage;
    }

    private static string TextOf(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: JSON can write it, and it is no text.
            return "";
        }
    }

    // Names of this assembly's stages stand alone; others name their assembly. Nothing that is no stage is ever made.
    private static Type TypeOf(string name, ModelFolder folder)
    {
        var type = name.Contains(',', StringComparison.Ordinal)
            ? TypeElsewhere(name)
            : typeof(PipelineStage).Assembly.GetTypes().FirstOrDefault(type => type.Name == name && type.IsAssignableTo(typeof(PipelineStage)));
        if (type is null || type.IsAbstract || !type.IsAssignableTo(typeof(PipelineStage)))
            throw folder.Broken($"this build knows no stage '{name}'. If it is a class of a program, load the assembly that holds it first");
        return type;
    }

    private static Type? TypeElsewhere(string name)
    {
        try
        {
            return Type.GetType(name, throwOnError: false);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or ArgumentException or TypeLoadException)
        {
            // Names of no possible type or assembly throw even so: such a stage is not known.
            return null;
        }
    }

    private PipelineStage Make(Type type)
    {
        const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;
        try
        {
            if (type.GetConstructor(Any, [typeof(ModelFolder)]) is { } read) return (PipelineStage)read.Invoke([this]);
            if (type.GetConstructor(Any, []) is { } make) return (PipelineStage)make.Invoke([]);
        }
        catch (TargetInvocationException e) when (e.InnerException is ModelFormatException inner)
        {
            throw inner;
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException or IOException or InvalidDataException or FormatException or IndexOutOfRangeException
            or InvalidOperationException or OverflowException or KeyNotFoundException)
        {
            throw Broken(e.InnerException.Message, e.InnerException);
        }
        throw Broken($"{type.Name} has no constructor without parameters and none that takes a {nameof(ModelFolder)}");
    }

    private void Apply(PipelineStage stage, JsonObject parameters)
    {
        var known = StageParameters.Of(stage.GetType());
        if (parameters.FirstOrDefault(pair => known.All(property => property.Name != pair.Key)).Key is { } unknown)
            throw Broken($"{stage.GetType().Name} has no parameter '{unknown}'. It has {string.Join(", ", known.Select(property => property.Name))}");
        foreach (var property in known)
        {
            if (!parameters.TryGetPropertyValue(property.Name, out var node)) throw Broken($"parameter '{property.Name}' of {stage.GetType().Name} is missing");
            try
            {
                property.SetValue(stage, FromJson(node, property.PropertyType));
            }
            catch (Exception e) when (e is JsonException or TargetInvocationException or InvalidOperationException or ArgumentException)
            {
                throw Broken($"parameter '{property.Name}' can't be {node?.ToJsonString() ?? "null"}: {(e.InnerException ?? e).Message}", e);
            }
        }
    }

    /// <summary>A value of a parameter as JSON.</summary>
    internal static JsonNode? NodeOf(object? value) => JsonSerializer.SerializeToNode(ForJson(value), Json);

    /// <summary>The value of a parameter of a type.</summary>
    internal static object? ValueOf(JsonNode? node, Type type) => FromJson(node, type);

    private static object? ForJson(object? value) => value is System.Collections.IEnumerable list and not string ? list.Cast<object?>().ToArray() : value;

    private static object? FromJson(JsonNode? node, Type type)
    {
        if (node is null) return null;
        if (type.IsArray || StageParameters.ElementOf(type) is not { } element) return node.Deserialize(type, Json);
        if (node is not JsonArray list) throw new JsonException("It is no list.");
        var items = Array.CreateInstance(element, list.Count);
        for (var i = 0; i < list.Count; i++) items.SetValue(FromJson(list[i], element), i);
        return Activator.CreateInstance(type, items);
    }

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);

    private ModelFormatException Broken(string what, Exception? cause = null) => new($"The saved model in '{Path}' can't be read: {what}.", cause);
}
