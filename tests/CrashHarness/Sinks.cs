using System.Globalization;
using System.Text.Json;
using Dataflow.Streaming;
using Dataflow.Streaming.Tests;
using Npgsql;

namespace Dataflow.CrashHarness;

/// <summary>Where the rows of the query go, and what is there in the end, read by the program itself and not by the engine that is tested.</summary>
internal static class Sinks
{
    /// <summary>Has the way to the database.</summary>
    public const string DatabaseFile = "database.txt";

    public static readonly string[] Kinds = ["file", "postgres", "memory"];

    public static IStreamSink Open(string kind, string folder) => kind switch
    {
        "file" => FileSink.Json(Path.Combine(folder, "out")),
        "postgres" => new DatabaseSink(DatabaseOf(folder), "clicks") { CreateTable = true, RowsPerRoundTrip = 3 },
        _ => new LoggedMemorySink(LogOf(folder)),
    };

    /// <summary>The rows that are there, and how many batches they came in, as far as that can be told.</summary>
    public static (List<PageMinute> Rows, long Batches) Read(string kind, string folder) => kind switch
    {
        "file" => ReadFiles(Path.Combine(folder, "out")),
        "postgres" => ReadTable(DatabaseOf(folder)),
        _ => ReadLog(LogOf(folder)),
    };

    private static string LogOf(string folder) => Path.Combine(folder, "memory.log");

    private static NpgsqlDataSource DatabaseOf(string folder) => NpgsqlDataSource.Create(File.ReadAllText(Path.Combine(folder, DatabaseFile)));

    private static (List<PageMinute>, long) ReadFiles(string output)
    {
        var rows = new List<PageMinute>();
        foreach (var line in Directory.EnumerateFiles(output, "*.json", SearchOption.AllDirectories).SelectMany(File.ReadLines))
        {
            using var row = JsonDocument.Parse(line);
            rows.Add(new PageMinute(
                DateTimeOffset.Parse(row.RootElement.GetProperty("window").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
                row.RootElement.GetProperty("Page").GetString()!, row.RootElement.GetProperty("Clicks").GetInt64(), row.RootElement.GetProperty("Users").GetInt64()));
        }
        return (rows, Directory.GetDirectories(output).Length);
    }

    private static (List<PageMinute>, long) ReadTable(NpgsqlDataSource database)
    {
        using (database)
        {
            var rows = new List<PageMinute>();
            using (var command = database.CreateCommand("""SELECT "window", "Page", "Clicks", "Users" FROM clicks"""))
            using (var reader = command.ExecuteReader())
            {
                while (reader.Read()) rows.Add(new PageMinute(new DateTimeOffset(reader.GetDateTime(0)), reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3)));
            }
            using var last = database.CreateCommand("SELECT max(batch) FROM dataflow_commits");
            return (rows, (long)last.ExecuteScalar()! + 1);
        }
    }

    private static (List<PageMinute>, long) ReadLog(string path)
    {
        var sink = new LoggedMemorySink(path);
        return ([.. sink.Batches.SelectMany(batch => batch.Value)], sink.Batches.Count);
    }
}
