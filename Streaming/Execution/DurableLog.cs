using System.Globalization;
using System.Text;
using System.Text.Json;
using Dataflow.Compression;
using Dataflow.Files;

namespace Dataflow.Streaming.Execution;

/// <summary>
/// Numbered entries in a folder, a file each, that are on the disk when they are written: the only memory of a query that counts. An entry appears whole or not at all, and
/// is never changed.
/// </summary>
/// <remarks>A file is two lines: CRC-32C (eight hex digits) of the second, and JSON.</remarks>
/// <param name="folder">The folder.</param>
/// <param name="isKept">Whether anybody will read it: the log of what goes with the process is not written.</param>
internal sealed class DurableLog(string folder, bool isKept = true)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
    private readonly IFileSystem _system = FileSystems.For(folder);
    private Queue<long>? _there;
    private string? _spent;

    public string Folder => folder;

    /// <summary>The entries that are there, ascending.</summary>
    public long[] Numbers() => _system.Find(folder) is null ? [] : [.. _system.List(folder)
        .Select(entry => long.TryParse(FilePath.NameOf(entry.Path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
        .Where(number => number >= 0).Order()];

    /// <summary>Adds an entry.</summary>
    /// <exception cref="StreamingException">It is there already: somebody else writes here.</exception>
    public void Write<T>(long number, T entry)
    {
        if (!isKept) return;
        var json = JsonSerializer.Serialize(entry, Options);
        using var file = _spent is null ? _system.Create(PathOf(number)) : _system.Create(PathOf(number), _spent);
        _spent = null;
        file.Stream.Write(Encoding.UTF8.GetBytes($"{Sum(json)}\n{json}\n"));
        try
        {
            file.Commit(replace: false, durable: true);
            _there?.Enqueue(number);
        }
        catch (IOException error) when (_system.Find(PathOf(number)) is not null)
        {
            throw new StreamingException("CHECKPOINT_IN_USE", $"'{PathOf(number)}' was written by another query meanwhile. Only one may work with a checkpoint: end the other, then start this one again.", error);
        }
    }

    /// <summary>Reads an entry.</summary>
    /// <exception cref="StreamingException">It is missing or damaged.</exception>
    public T Read<T>(long number)
    {
        var path = PathOf(number);
        try
        {
            using var stream = _system.OpenRead(path);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var (sum, json) = (reader.ReadLine(), reader.ReadLine());
            if (json is null || sum != Sum(json)) throw new StreamingException("CHECKPOINT_DAMAGED", $"'{path}' is not as it was written. {Advice}");
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new StreamingException("CHECKPOINT_DAMAGED", $"'{path}' is empty. {Advice}");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing(number);
        }
        catch (JsonException error)
        {
            throw new StreamingException("CHECKPOINT_DAMAGED", $"'{path}' holds something else than a query of this version writes ({error.Message}). {Advice}", error);
        }
    }

    /// <summary>The error of an entry that should be there.</summary>
    public StreamingException Missing(long number) => new("CHECKPOINT_DAMAGED", $"'{PathOf(number)}' is missing. {Advice}");

    /// <summary>Deletes an entry, if it is there.</summary>
    public void Drop(long number) => _system.Delete(PathOf(number));

    /// <summary>Deletes entries below a number, or lets the next entry take the place of one. The folder is looked at once; from then on nobody else writes here.</summary>
    public void DropBelow(long number)
    {
        if (!isKept) return;
        _there ??= new Queue<long>(Numbers());
        while (_there.TryPeek(out var old) && old < number)
        {
            if (_spent is not null) _system.Delete(_spent);
            _spent = PathOf(_there.Dequeue());
        }
    }

    private const string Advice = "Bring the checkpoint's folder back from a copy; or begin anew with another folder, which reads the sources from their beginning.";

    private string PathOf(long number) => FilePath.Combine(folder, number.ToString(CultureInfo.InvariantCulture));

    private static string Sum(string json) => Crc32C.Of(Encoding.UTF8.GetBytes(json)).ToString("x8", CultureInfo.InvariantCulture);
}
