using Dataflow.Sql.Tests.Analysis;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Parsing;

public class TokenSoupTests
{
    private static readonly string[] Words =
    [
        "select", "from", "where", "group", "by", "having", "order", "limit", "offset", "union", "all", "except", "intersect", "join", "left", "full", "using", "on", "as", "with",
        "values", "case", "when", "then", "else", "end", "and", "or", "not", "in", "exists", "like", "between", "is", "null", "distinct", "over", "partition", "rows", "range", "preceding",
        "current", "row", "unbounded", "rollup", "cube", "grouping", "sets", "interval", "date", "cast", "extract", "trim", "substring", "filter", "window", "qualify", "natural", "cross",
        "t", "u", "a", "b", "s", "e", "k", "v", "x", "t.a", "u.*", "*", "(", ")", "(", ")", ",", ",", "+", "-", "*", "/", "=", "<", ">", "<=>", "||", "::", ".", ";", "?", ":p", "[", "]",
        "1", "2.5", "1e3", "'a'", "'2024-01-01'", "X'0a'", "`q`", "count", "sum(a)", "max(b)", "count(*)", "rank()", "int", "string", "decimal(5,2)", "day", "month", "true", "false",
    ];

    [Fact]
    public void Words_in_any_order_are_a_query_or_a_query_error()
    {
        const int seed = 20261121;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var sql = (round % 2 == 0 ? "select " : "") + string.Join(' ', Enumerable.Range(0, random.Next(1, 25)).Select(_ => Words[random.Next(Words.Length)]));
            Try(sql, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Queries_with_words_changed_are_queries_or_query_errors()
    {
        const int seed = 7;
        var random = new Random(seed);
        var queries = Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "tests/Sql.Tests/golden/bound"), "*.sql").SelectMany(file => File.ReadAllText(file).Split(";\n")).ToArray();
        for (var round = 0; round < 6_000; round++)
        {
            var words = queries[random.Next(queries.Length)].Split(' ').ToList();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var at = random.Next(words.Count);
                switch (random.Next(4))
                {
                    case 0: words[at] = Words[random.Next(Words.Length)]; break;
                    case 1: words.Insert(at, Words[random.Next(Words.Length)]); break;
                    case 2 when words.Count > 1: words.RemoveAt(at); break;
                    default: (words[at], words[^1]) = (words[^1], words[at]); break;
                }
            }
            Try(string.Join(' ', words), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Characters_in_any_order_are_a_query_error()
    {
        const int seed = 3;
        const string characters = "se lect'\"`\\/*-.0123456789eExXrRbd()[]<>=!|&^~?:;,\n\t\0é€@#$%{}_";
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var sql = "select " + new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => characters[random.Next(characters.Length)])]);
            Try(sql, $"seed {seed}, round {round}");
        }
    }

    private static void Try(string sql, string where)
    {
        try
        {
            _ = Tables.Bind(sql).ToString();
        }
        catch (QueryException)
        {
            // What a wrong query gives.
        }
        catch (Exception error)
        {
            Assert.Fail($"{where}: {sql}\n{error}");
        }
    }
}
