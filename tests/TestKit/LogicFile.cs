using System.Text;
using Xunit;

namespace Dataflow.TestKit;

/// <summary>
/// A file of statements and what they answer, in the format of SQLite's sqllogictest (<c>.slt</c>): records of a line that says what is expected, the
/// SQL, and for queries a line <c>----</c> with the rows behind it; an empty line ends a record, and <c>#</c> begins a comment.
/// </summary>
/// <remarks>
/// <c>statement ok</c>; <c>statement error TEXT</c>, where the error's class or message must contain the text; and <c>query TYPES [rowsort]</c>, with a
/// letter a column: I whole numbers, R other numbers, T text, B booleans, D dates, P times, V intervals, ? any. A row is a line, its values parted by
/// blanks: null is <c>NULL</c>, empty text is <c>(empty)</c>. Runs of blanks count as one.
/// With <c>DATAFLOW_ACCEPT=1</c> rows that differ are rewritten instead, types with them: the diff is what is reviewed.
/// </remarks>
public sealed class LogicFile
{
    private readonly string _path;
    private readonly string[] _lines;
    private readonly List<Record> _records = [];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, from the repository's root.</param>
    public LogicFile(string path)
    {
        _path = path;
        _lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, path));
        for (var line = 0; line < _lines.Length;)
        {
            if (_lines[line].Length == 0 || _lines[line][0] == '#') line++;
            else line = Read(line);
        }
        Assert.True(_records.Count > 0, $"{path} has no records.");
    }

    /// <summary>What a statement answered.</summary>
    /// <param name="Types">A letter for each column.</param>
    /// <param name="Rows">The rows' values as text.</param>
    public sealed record Answer(string Types, IReadOnlyList<IReadOnlyList<string>> Rows);

    /// <summary>Runs all records, and says all that differ.</summary>
    /// <param name="run">Runs a statement.</param>
    /// <param name="classOf">The class of an error.</param>
    public void Check(Func<string, Answer> run, Func<Exception, string> classOf)
    {
        List<string> failures = [];
        var rewritten = new StringBuilder();
        var done = 0;
        foreach (var record in _records)
        {
            var (failure, types, rows) = Differs(record, run, classOf);
            if (failure is not null) failures.Add($"{_path}:{record.Line + 1}: {failure}\n{record.Sql}");
            if (rows is null) continue;
            foreach (var line in _lines[done..record.Line]) rewritten.Append(line).Append('\n');
            rewritten.Append("query ").Append(types).Append(record.IsSorted ? " rowsort\n" : "\n");
            foreach (var line in _lines[(record.Line + 1)..record.FirstRow]) rewritten.Append(line).Append('\n');
            foreach (var row in rows) rewritten.Append(row).Append('\n');
            done = record.End;
        }
        if (done > 0 && Environment.GetEnvironmentVariable("DATAFLOW_ACCEPT") == "1")
        {
            foreach (var line in _lines[done..]) rewritten.Append(line).Append('\n');
            File.WriteAllText(Path.Combine(RepositoryRoot.Path, _path), rewritten.ToString());
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {_records.Count} records differ:\n\n{string.Join("\n\n", failures)}");
    }

    private static (string? Failure, string Types, List<string>? Rows) Differs(Record record, Func<string, Answer> run, Func<Exception, string> classOf)
    {
        Answer answer;
        try
        {
            answer = run(record.Sql);
        }
        catch (Exception error)
        {
            var name = classOf(error);
            if (record.Error is null) return ($"failed with {name}: {error.Message}", "", null);
            var fits = name.Contains(record.Error, StringComparison.Ordinal) || error.Message.Contains(record.Error, StringComparison.Ordinal);
            return (fits ? null : $"expected the error {record.Error}, but got {name}: {error.Message}", "", null);
        }
        if (record.Error is not null) return ($"expected the error {record.Error}, but it answered {answer.Rows.Count} rows", "", null);
        if (!record.IsQuery) return (null, "", null);
        var rows = answer.Rows.Select(row => string.Join(' ', row.Select(value => value.Length == 0 ? "(empty)" : value))).ToList();
        if (record.IsSorted) rows.Sort(string.CompareOrdinal);
        if (!rows.Select(OneBlank).SequenceEqual(record.IsSorted ? record.Rows.Select(OneBlank).Order(StringComparer.Ordinal) : record.Rows.Select(OneBlank)))
            return ($"expected\n{string.Join('\n', record.Rows)}\nbut got\n{string.Join('\n', rows)}", answer.Types, rows);
        var fitting = record.Types.Length == answer.Types.Length && record.Types.Zip(answer.Types).All(pair => pair.First == '?' || pair.First == pair.Second);
        return fitting ? (null, "", null) : ($"expected columns of types {record.Types}, but got {answer.Types}", answer.Types, rows);
    }

    private static string OneBlank(string row) => string.Join(' ', row.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));

    private int Read(int line)
    {
        var words = _lines[line].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var start = line + 1;
        var end = start;
        while (end < _lines.Length && _lines[end].Length > 0 && _lines[end] != "----") end++;
        var sql = string.Join('\n', _lines[start..end]).TrimEnd().TrimEnd(';');
        switch (words)
        {
            case ["statement", "ok"]:
                _records.Add(new Record(line, sql, null, "", false, [], 0, 0));
                return end;
            case ["statement", "error", ..]:
                _records.Add(new Record(line, sql, _lines[line]["statement error".Length..].Trim(), "", false, [], 0, 0));
                return end;
            case ["query", var types, .. var sort] when end < _lines.Length && _lines[end] == "----" && sort is [] or ["nosort"] or ["rowsort"]:
                var first = end + 1;
                for (end = first; end < _lines.Length && _lines[end].Length > 0;) end++;
                _records.Add(new Record(line, sql, null, types, sort is ["rowsort"], _lines[first..end], first, end));
                return end;
            default:
                throw new FormatException(
                    $"{_path}:{line + 1}: expected 'statement ok', 'statement error TEXT', or 'query TYPES [rowsort]' with a line '----' before the rows, but found: {_lines[line]}");
        }
    }

    private sealed record Record(int Line, string Sql, string? Error, string Types, bool IsSorted, string[] Rows, int FirstRow, int End)
    {
        public bool IsQuery => Types.Length > 0;
    }
}
