using Dataflow.Sql.Parsing;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Analysis;

/// <summary>Opens the files of USING: options by Spark's names, whatever their case, become <see cref="CsvOptions"/> and <see cref="JsonOptions"/>.</summary>
/// <remarks>What is not given is as in Spark: CSV files have no header, and all their columns are text.</remarks>
/// <param name="context">The session, and the text for errors.</param>
internal sealed class FilesBinder(BindingContext context)
{
    private static readonly string[] CsvNames =
    [
        "path", "header", "delimiter", "sep", "quote", "escape", "comment", "inferSchema", "nullValue", "mode", "multiLine", "dateFormat", "timestampFormat",
        "columnNameOfCorruptRecord",
    ];

    private static readonly string[] JsonNames = ["path", "mode", "columnNameOfCorruptRecord"];

    /// <summary>Opens them.</summary>
    /// <exception cref="QueryException">There is no such format or option, or an option has a value that it can't have.</exception>
    /// <exception cref="InputException">Nothing is there, or it may not be read.</exception>
    public ITable Open(FilesSyntax files)
    {
        var format = files.Format.ToLowerInvariant();
        string[] names = format switch
        {
            "csv" => CsvNames,
            "json" => JsonNames,
            "parquet" or "text" => ["path"],
            _ => throw context.Error(
                "DATA_SOURCE_NOT_FOUND", $"There is no format '{files.Format}': there are parquet, csv, json and text.{Suggest.Hint(format, ["parquet", "csv", "json", "text"])}", files.Position),
        };
        var given = Given(files, format, names);
        if (!given.TryGetValue("path", out var path)) throw context.Error("PATH_NOT_FOUND", "Files need a path: OPTIONS (path 'data/orders').", files.Position);
        var schema = files.Fields.Count == 0 ? null : new Schema(files.Fields);
        var zone = context.Session.TimeZone;
        if (schema is not null && format is "parquet" or "text")
            throw context.Error("UNSUPPORTED_FEATURE", $"Columns of {format} files are those they have: leave out the list of columns, and cast in a query.", files.Position);
        try
        {
            return format switch
            {
                "csv" => CsvTable.Open(path.Value, Csv(given, schema), zone),
                "json" => JsonTable.Open(path.Value, new JsonOptions { Schema = schema, Mode = Mode(given), CorruptRecordColumn = Text(given, "columnNameOfCorruptRecord") }, zone),
                "parquet" => ParquetTable.Open(path.Value, zone),
                _ => TextTable.Open(path.Value),
            };
        }
        catch (ArgumentException error)
        {
            // Options that contradict each other.
            throw context.Error("INVALID_OPTIONS", error.Message, files.Position);
        }
    }

    private Dictionary<string, FileOptionSyntax> Given(FilesSyntax files, string format, string[] names)
    {
        var given = new Dictionary<string, FileOptionSyntax>(StringComparer.OrdinalIgnoreCase);
        foreach (var option in files.Options)
        {
            if (!names.Contains(option.Name, StringComparer.OrdinalIgnoreCase))
            {
                throw context.Error(
                    "INVALID_OPTIONS", $"{format} files have no option '{option.Name}'.{Suggest.Hint(option.Name, names)} There are: {string.Join(", ", names)}.", option.Position);
            }
            // Two words for one thing.
            var name = option.Name.Equals("sep", StringComparison.OrdinalIgnoreCase) ? "delimiter" : option.Name;
            if (!given.TryAdd(name, option)) throw context.Error("INVALID_OPTIONS", $"The option '{name}' is given twice.", option.Position);
        }
        return given;
    }

    private CsvOptions Csv(Dictionary<string, FileOptionSyntax> given, Schema? schema)
    {
        var defaults = new CsvOptions();
        return new CsvOptions
        {
            Schema = schema,
            HasHeader = Flag(given, "header", false),
            InferTypes = Flag(given, "inferSchema", false),
            MultiLine = Flag(given, "multiLine", defaults.MultiLine),
            Delimiter = Character(given, "delimiter", defaults.Delimiter) ?? throw Wrong(given["delimiter"], "one character"),
            Quote = Character(given, "quote", defaults.Quote),
            Escape = Character(given, "escape", defaults.Escape) ?? defaults.Escape,
            Comment = Character(given, "comment", defaults.Comment),
            NullValue = Text(given, "nullValue") ?? defaults.NullValue,
            DateFormat = Text(given, "dateFormat"),
            TimestampFormat = Text(given, "timestampFormat"),
            Mode = Mode(given),
            CorruptRecordColumn = Text(given, "columnNameOfCorruptRecord"),
        };
    }

    private static string? Text(Dictionary<string, FileOptionSyntax> given, string name) => given.TryGetValue(name, out var option) ? option.Value : null;

    private bool Flag(Dictionary<string, FileOptionSyntax> given, string name, bool otherwise)
    {
        if (!given.TryGetValue(name, out var option)) return otherwise;
        return bool.TryParse(option.Value, out var value) ? value : throw Wrong(option, "true or false");
    }

    /// <summary>A character; null where the text is empty.</summary>
    private char? Character(Dictionary<string, FileOptionSyntax> given, string name, char? otherwise)
    {
        if (!given.TryGetValue(name, out var option)) return otherwise;
        return option.Value switch
        {
            "" => null,
            "\\t" => '\t',
            [var only] => only,
            _ => throw Wrong(option, "one character"),
        };
    }

    private MalformedMode Mode(Dictionary<string, FileOptionSyntax> given)
    {
        if (!given.TryGetValue("mode", out var option)) return MalformedMode.Permissive;
        return option.Value.ToUpperInvariant() switch
        {
            "PERMISSIVE" => MalformedMode.Permissive,
            "DROPMALFORMED" => MalformedMode.DropMalformed,
            "FAILFAST" => MalformedMode.FailFast,
            _ => throw Wrong(option, "PERMISSIVE, DROPMALFORMED or FAILFAST"),
        };
    }

    private QueryException Wrong(FileOptionSyntax option, string right) =>
        context.Error("INVALID_OPTIONS", $"The option '{option.Name}' is '{option.Value}'; it has to be {right}.", option.Position);
}
