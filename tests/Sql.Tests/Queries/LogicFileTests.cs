using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Queries;

/// <summary>SQL tested in SQL: each file of <c>tests/Sql.Tests/logic</c> runs in a session of its own.</summary>
public class LogicFileTests
{
    private const string Folder = "tests/Sql.Tests/logic";

    /// <summary>The files.</summary>
    public static TheoryData<string> Files { get; } =
        new(Directory.GetFiles(Path.Combine(RepositoryRoot.Path, Folder), "*.slt").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_record_of_a_logic_file_answers_as_it_says(string name)
    {
        using var context = DataflowContext.Local(threads: 2);
        Check(context, name);
    }

    /// <summary>Runs a file in a context whose session nobody else uses now.</summary>
    internal static void Check(DataflowContext context, string name)
    {
        var session = SqlSession.Of(context);
        foreach (var view in session.Catalog.ViewNames) session.Catalog.Remove(view);
        session.TimeZone = "UTC";

        // A file that is called as a folder of data reads its tables.
        var data = Path.Combine(RepositoryRoot.Path, "tests/data", name);
        if (Directory.Exists(data))
        {
            foreach (var file in Directory.GetFiles(data, "*.parquet")) context.Read.Parquet(file).CreateTempView(Path.GetFileNameWithoutExtension(file));
        }
        new LogicFile($"{Folder}/{name}.slt").Check(sql => Run(context, sql), error => error is QueryException query ? query.ErrorClass : error.GetType().Name);
    }

    private static LogicFile.Answer Run(DataflowContext context, string sql)
    {
        var frame = context.Sql(sql);
        var rows = frame.Collect();
        var types = string.Concat(frame.Schema.Select(column => LetterOf(column.Type)));
        return new LogicFile.Answer(types, [.. rows.Select(row => Enumerable.Range(0, row.Count).Select(row.TextOf).ToArray())]);
    }

    private static char LetterOf(DataType type) => type.Kind switch
    {
        TypeKind.TinyInt or TypeKind.SmallInt or TypeKind.Int or TypeKind.BigInt => 'I',
        TypeKind.Float or TypeKind.Double or TypeKind.Decimal => 'R',
        TypeKind.String or TypeKind.Binary => 'T',
        TypeKind.Boolean => 'B',
        TypeKind.Date => 'D',
        TypeKind.Timestamp or TypeKind.TimestampNtz => 'P',
        TypeKind.YearMonthInterval or TypeKind.DayTimeInterval => 'V',
        _ => '?',
    };
}
