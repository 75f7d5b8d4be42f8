using Dataflow.Files;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming.Sources;

/// <summary>
/// Files that come into a folder, each read once. An offset is a number: how many times new files were found. Which files those were is written down, in order, before
/// the offset is given.
/// </summary>
internal sealed class FileStreamSource(string folder, FileStreamFormat format, FileSourceOptions? options) : IStreamSource
{
    public string Name => $"{format.Name} files in '{folder}'";

    /// <summary>What offsets are of, wherever the folder lies.</summary>
    public string Kind => $"{format.Name} files";

    public Schema Schema => format.Schema;

    public IStreamReader Open(string checkpoint) => new FileStreamReader(Name, FileSystems.Resolve(folder), format, options ?? new(), new DurableLog(checkpoint));
}

/// <summary>How files of a stream are read.</summary>
/// <param name="Name">As <c>JSON</c>.</param>
/// <param name="Schema">Their columns.</param>
/// <param name="Open">Makes a table of some files.</param>
internal sealed record FileStreamFormat(string Name, Schema Schema, Func<string, IEnumerable<FileEntry>, ITable> Open)
{
    public static FileStreamFormat Json(JsonOptions json, string timeZone) =>
        new("JSON", With(json.CorruptRecordColumn, Nullable(json.Schema!)), (name, files) => JsonTable.Open(name, () => FolderColumns.Of(files), json, timeZone));

    public static FileStreamFormat Csv(CsvOptions csv, string timeZone)
    {
        ArgumentNullException.ThrowIfNull(csv);
        if (csv.Schema is not { } schema) throw new ArgumentException("A stream's columns can't be found in files that come later: give the options a Schema.", nameof(csv));
        return new("CSV", With(csv.CorruptRecordColumn, csv.Mode == MalformedMode.FailFast ? schema : Nullable(schema)), (name, files) => CsvTable.Open(name, () => FolderColumns.Of(files), csv, timeZone));
    }

    public static FileStreamFormat Text() =>
        new("text", new Schema(new Field("value", DataType.String, Nullable: false)), (name, files) => TextTable.Open(name, FolderColumns.Of(files)));

    public static FileStreamFormat Parquet(Schema schema) => new("Parquet", Nullable(schema), (name, files) => ParquetTable.Open(name, Nullable(schema), files));

    private static Schema With(string? corrupt, Schema schema) => corrupt is null ? schema
        : schema.IndexOf(corrupt) < 0 ? new Schema(schema.Fields.Add(new Field(corrupt, DataType.String)))
        : throw new ArgumentException($"The files have a column '{corrupt}' already, so it can't be the one of corrupt records.", nameof(corrupt));

    /// <summary>The columns as files may lack them.</summary>
    public static Schema Nullable(Schema schema) => new(schema.Fields.ConvertAll(field => field with { Nullable = true }));
}
