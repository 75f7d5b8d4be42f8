using Dataflow.Sql.Analysis;

namespace Dataflow.Sql.Tests.Analysis;

public class WrongQueryTests
{
    [Theory]
    [InlineData("select a from t where x between 1 or 2", "PARSE_SYNTAX_ERROR", "Expected 'AND', found 'or'.", 35)]
    [InlineData("selct a from t", "PARSE_SYNTAX_ERROR", "Expected a statement", 1)]
    [InlineData("select a b c from t", "PARSE_SYNTAX_ERROR", "Expected the end of the statement, found 'c'.", 12)]
    [InlineData("select a from t where", "PARSE_SYNTAX_ERROR", "Expected an expression, found the end of the text.", 22)]
    [InlineData("select (a from t", "PARSE_SYNTAX_ERROR", "Expected ')', found 'from'.", 11)]
    [InlineData("select 'abc from t", "PARSE_SYNTAX_ERROR", "This string is not closed", 8)]
    [InlineData("select a /* b", "PARSE_SYNTAX_ERROR", "This comment is not closed", 10)]
    [InlineData("select a from t where a = 1x", "PARSE_SYNTAX_ERROR", "'1x' is not a number", 27)]
    [InlineData("select cast(a as blob) from t", "UNSUPPORTED_DATATYPE", "There is no type 'blob'.", 18)]
    [InlineData("select interval '1' year 2 days", "PARSE_SYNTAX_ERROR", "months and years, or days", 8)]
    [InlineData("select date '2024-02-30'", "INVALID_TYPED_LITERAL", "'2024-02-30' is not a date.", 8)]
    [InlineData("select custmer from (values (1, 2)) as o (customer, total)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "Unknown column 'custmer'. In scope: o.customer, o.total. Did you mean 'customer'?", 8)]
    [InlineData("select a", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "Unknown column 'a'.", 8)]
    [InlineData("select v.a from t", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "Unknown column 'v.a'.", 8)]
    [InlineData("select a from t, u", "AMBIGUOUS_REFERENCE", "'a' can be t.a or u.a.", 8)]
    [InlineData("select * from tt", "TABLE_OR_VIEW_NOT_FOUND", "There is no table or view 'tt'. There are: t, u. Did you mean 't'", 15)]
    [InlineData("select * from parquet.`x`", "TABLE_OR_VIEW_NOT_FOUND", "There is no table or view 'parquet.x'.", 15)]
    [InlineData("select uper(s) from t", "UNRESOLVED_ROUTINE", "There is no function 'uper'. Did you mean 'upper'?", 8)]
    [InlineData("select abs(a, b) from t", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "'abs' does not take 2 arguments. It is called as abs(number).", 8)]
    [InlineData("select abs(s) from t", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "'abs' does not take (string).", 8)]
    [InlineData("select a + x from t", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "'+' does not take int and boolean.", 10)]
    [InlineData("select a from t where a", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "WHERE takes a condition, which is boolean; 'a' is int.", 23)]
    [InlineData("select a = e from t", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "'=' does not take int and date.", 10)]
    [InlineData("select cast(e as int) from t", "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "A date can't become a int.", 8)]
    [InlineData("select case when x then 1 else e end from t", "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "no common type: int, date", 8)]
    [InlineData("select a, count(*) from t", "MISSING_GROUP_BY", "'a' stands beside aggregates without a GROUP BY.", 8)]
    [InlineData("select a, b from t group by a", "MISSING_AGGREGATION", "'b' is neither in GROUP BY nor inside an aggregate.", 11)]
    [InlineData("select a from t group by a order by b", "MISSING_AGGREGATION", "'b' is neither", 37)]
    [InlineData("select a from t where count(*) > 1", "INVALID_WHERE_CONDITION", "can't stand in WHERE. Use HAVING.", 23)]
    [InlineData("select sum(max(a)) from t", "NESTED_AGGREGATE_FUNCTION", "'max' stands inside another aggregate.", 12)]
    [InlineData("select sum(a) as z, max(z) from t", "NESTED_AGGREGATE_FUNCTION", "'max' is given a name of the select list", 21)]
    [InlineData("select count(*) from t group by sum(a)", "GROUP_BY_AGGREGATE", "can't stand in GROUP BY.", 33)]
    [InlineData("select a from t group by 2", "GROUP_BY_POS_OUT_OF_RANGE", "GROUP BY 2: the select list has the columns 1 to 1.", 26)]
    [InlineData("select a, sum(b) from t group by 2", "GROUP_BY_POS_AGGREGATE", "'sum(b)' is an aggregate.", 34)]
    [InlineData("select a from t order by 0", "ORDER_BY_POS_OUT_OF_RANGE", "ORDER BY 0", 26)]
    [InlineData("select distinct a from t order by b", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "columns of the select list only", 35)]
    [InlineData("select rank() from t", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "'rank' needs a window", 8)]
    [InlineData("select a from t where rank() over (order by a) = 1", "UNSUPPORTED_EXPR_FOR_WINDOW", "can't stand in WHERE", 23)]
    [InlineData("select upper(s) over () from t", "UNSUPPORTED_EXPR_FOR_WINDOW", "a function of one row", 8)]
    [InlineData("select sum(a) over w from t window v as ()", "MISSING_WINDOW_SPECIFICATION", "There is no window 'w'", 15)]
    [InlineData("select sum(a) over (order by b rows between current row and 1 preceding) from t", "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "ends before it begins", 8)]
    [InlineData("select sum(a) over (order by s range 1 preceding) from t", "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "not string", 8)]
    [InlineData("select sum(a) over (w) from t window w as (v), v as (w)", "CYCLIC_WINDOW_REFERENCE", "made of itself", -1)]
    [InlineData("select a from t union select a, v from u", "NUM_COLUMNS_MISMATCH", "the first query has 1 columns, query 2 has 2", 17)]
    [InlineData("select a from t union select e from t", "INCOMPATIBLE_COLUMN_TYPE", "types that do not go together: int, date", 17)]
    [InlineData("values (1, 2), (3)", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "The first row of VALUES has 2 columns, this one has 1.", 16)]
    [InlineData("select (select a, b from t)", "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "has one column, not 2", 8)]
    [InlineData("select a in (select a, b from t) from t", "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "Before IN stand 1 values, but the query has 2 columns.", 10)]
    [InlineData("select * from t join u using (b)", "UNRESOLVED_USING_COLUMN_FOR_JOIN", "right side has no column 'b'", 17)]
    [InlineData("with n as (select 1), n as (select 2) select * from n", "DUPLICATED_CTE_NAMES", "'n' twice", 23)]
    [InlineData("select a as k, b as k from t order by k", "AMBIGUOUS_REFERENCE", "name of 2 entries", 39)]
    [InlineData("select rand() as r, r + 1 from t", "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS", "another value each time", 21)]
    [InlineData("select a from t limit -1", "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "not '-1'", 23)]
    [InlineData("select a from t limit b", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "Unknown column 'b'", 23)]
    [InlineData("select * from t as k (a, b)", "NUM_TABLE_VALUE_ALIASES_MISMATCH", "'k' has 8 columns, but 2 names are given", 15)]
    [InlineData("select ?", "UNBOUND_SQL_PARAMETER", "Parameter number 1 (?) has no value.", 8)]
    [InlineData("select grouping(a) from t group by a", "UNSUPPORTED_GROUPING_EXPRESSION", "go with GROUPING SETS", 8)]
    [InlineData("create temp view v as select a, a from t", "COLUMN_ALREADY_EXISTS", "two columns 'a'", 1)]
    [InlineData("create temp view t as select 1", "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "a view 't' already", 1)]
    [InlineData("create database x as select 1", "PARSE_SYNTAX_ERROR", "Expected 'TEMP VIEW'", 8)]
    [InlineData("drop view nothing", "TABLE_OR_VIEW_NOT_FOUND", "There is no view 'nothing'.", 11)]
    [InlineData("select a in () from t", "PARSE_SYNTAX_ERROR", "Expected an expression, found ')'.", 14)]
    [InlineData("select a from t group by rollup (a, ())", "PARSE_SYNTAX_ERROR", "() can't stand in ROLLUP", 26)]
    [InlineData("select a from t having a > 0", "MISSING_GROUP_BY", "'a' stands beside aggregates", 8)]
    [InlineData("set time zone 'Mars/Olympus'", "INVALID_TIMEZONE", "There is no time zone 'Mars/Olympus'.", 1)]
    [InlineData("select x.* from t", "CANNOT_RESOLVE_STAR_EXPAND", "There is no table 'x' in FROM. In scope: t.", 8)]
    [InlineData("select * from t lateral view explode(a)", "PARSE_SYNTAX_ERROR", "LATERAL VIEW is not supported", 17)]
    public void A_wrong_query_says_what_and_where(string sql, string errorClass, string message, int column)
    {
        var error = Tables.Error(sql);
        Assert.Equal(errorClass, error.ErrorClass);
        Assert.Contains(message, error.Problem);
        if (column >= 0) Assert.Equal((1, column), (error.Line, error.Column));
    }

    [Fact]
    public void An_error_shows_the_line_with_a_caret()
    {
        var error = Tables.Error("select a,\n       custmer\nfrom t");
        Assert.Equal((2, 8), (error.Line, error.Column));
        Assert.EndsWith("(line 2, column 8)\n         custmer\n         ^", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(1000)]
    [InlineData(3000)]
    public void Of_a_long_line_an_error_shows_the_part_around_the_place(int before)
    {
        var error = Tables.Error($"select {new string(' ', before)}custmer{string.Concat(Enumerable.Repeat(", a", 400))} from t");
        Assert.Equal(before + 8, error.Column);
        var lines = error.Message.Split('\n');
        Assert.True(lines[^2].Length < 200);
        Assert.StartsWith("custmer", lines[^2][(lines[^1].Length - 1)..]);
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(1_000)]
    public void Deep_nesting_is_an_error_and_no_stack_overflow(int depth)
    {
        foreach (var (open, close) in ((string, string)[])[("(", ")"), ("not ", ""), ("- ", ""), ("abs(", ")"), ("case when ", " then 1 end"), ("(select ", ")"), ("1 + (", ")"), ("a in (", ")"), ("sum(1) over (order by ", ")")])
        {
            var sql = $"select {string.Concat(Enumerable.Repeat(open, depth))}1{string.Concat(Enumerable.Repeat(close, depth))} from t";
            Assert.Contains("deeper than", Tables.Error(sql).Problem);
        }
        Assert.Contains("deeper than", Tables.Error($"select * from {new string('(', depth)}t{new string(')', depth)}").Problem);
        Assert.Contains("deeper than", Tables.Error($"{new string('(', depth)}select 1{new string(')', depth)}").Problem);
        Assert.Contains("deeper than", Tables.Error($"select cast(a as {string.Concat(Enumerable.Repeat("array<", depth))}int) from t").Problem);
    }

    [Fact]
    public void Long_chains_are_bound_or_named_too_deep()
    {
        var conditions = string.Join(" or ", Enumerable.Range(0, 20_000).Select(i => $"a = {i}"));
        Tables.Plan($"select a from t where {conditions}");
        Tables.Plan(string.Join(" union all ", Enumerable.Repeat("select a from t", 2_000)));
        Assert.Equal("EXPRESSION_TOO_DEEP", Tables.Error($"select {string.Join(" + ", Enumerable.Repeat("a", 20_000))} from t").ErrorClass);
    }

    [Fact]
    public void Parameters_become_literals_of_their_types()
    {
        var plan = Tables.Plan("select ? as i, ? as d, ? as s, ? as e from t where a in (?) and s = ?", parameters: Parameters.Of(3, 1.50m, "it's", new DateOnly(2024, 1, 31), new[] { 1, 2 }, "'; drop"));
        Assert.StartsWith("Project [3 AS i", plan.ToString());
        Assert.Contains("1.50 AS d", plan.ToString());
        Assert.Contains("'it''s' AS s", plan.ToString());
        Assert.Contains("DATE '2024-01-31' AS e", plan.ToString());
        Assert.Contains("IN (1, 2)", plan.ToString());
        Assert.Contains("= '''; drop')", plan.ToString());
        var named = Tables.Plan("select :low + :low from t where a > :LOW", parameters: Parameters.Of(new Dictionary<string, object?> { ["low"] = 7L }));
        Assert.Contains("(7L + 7L)", named.ToString());
    }
}
