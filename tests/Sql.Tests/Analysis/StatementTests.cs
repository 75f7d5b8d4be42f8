using Dataflow.Sql.Analysis;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Tests.Analysis;

public class StatementTests
{
    [Fact]
    public void Statements_that_are_no_queries_say_what_is_to_do()
    {
        var create = Assert.IsType<CreateViewStatement>(Tables.Bind("create or replace temp view v (x, y) as select a, s from t;"));
        Assert.Equal(("v", true, "x, y"), (create.Name, create.Replaces, string.Join(", ", create.Plan.Output.Select(column => column.Name))));
        Assert.Equal(ExplainMode.Extended, Assert.IsType<ExplainStatement>(Tables.Bind("explain extended select 1")).Mode);
        Assert.Equal(ExplainMode.Formatted, Assert.IsType<ExplainStatement>(Tables.Bind("explain formatted select 1")).Mode);
        Assert.IsType<CreateViewStatement>(Assert.IsType<ExplainStatement>(Tables.Bind("explain create temp view v as select 1 as a")).Inner);
        Assert.Equal("t", Assert.IsType<DropViewStatement>(Tables.Bind("drop view if exists t")).Name);
        Assert.IsType<NothingStatement>(Tables.Bind("drop view if exists nothing"));
        Assert.Equal("tableName: t", Assert.IsType<ListStatement>(Tables.Bind("show tables like 't*'")) is var list ? $"{list.Column}: {string.Join(", ", list.Names)}" : "");
        Assert.Equal("a int, k string, v int", Assert.IsType<DescribeStatement>(Tables.Bind("describe table u")).Schema.ToString());
        Assert.Equal("one int not null", Assert.IsType<DescribeStatement>(Tables.Bind("desc query select 1 as one")).Schema.ToString());
        Assert.Equal("Europe/Berlin", Assert.IsType<SetTimeZoneStatement>(Tables.Bind("set time zone 'Europe/Berlin'")).Zone);
    }

    [Theory]
    [InlineData("set spark.sql.ansi.enabled = true", "spark.sql.ansi.enabled", "true")]
    [InlineData("set a.b=x/y z;", "a.b", "x/y z")]
    [InlineData("set a.b", "a.b", null)]
    [InlineData("set", null, null)]
    public void Settings_are_taken_as_they_stand(string sql, string? key, string? value) => Assert.Equal(new SetStatement(key, value), Tables.Bind(sql));

    [Fact]
    public void The_time_zone_can_be_set_as_a_setting()
    {
        Assert.Equal(new SetTimeZoneStatement("+02:00"), Tables.Bind("set spark.sql.session.timeZone = +02:00"));
        Assert.Equal("INVALID_TIMEZONE", Tables.Error("set spark.sql.session.timeZone = Moon").ErrorClass);
        Assert.Equal(new ResetStatement("a.b"), Tables.Bind("reset a.b"));
    }

    [Fact]
    public void Each_use_of_a_view_has_columns_of_its_own()
    {
        var catalog = Tables.Small();
        var view = Tables.Plan("select a, (select max(v) from u where u.a = t.a) as m, row_number() over (order by b) as n from t where exists (select 1 from u where u.v = t.b) union all select v, a, v from u group by rollup (a, v)", catalog);
        catalog.Set("view", view);
        var join = (Join)((Project)Tables.Plan("select * from view x join view y on x.a = y.a", catalog)).Input;
        Assert.Empty(Ids(join.Left).Intersect(Ids(join.Right)));
        Assert.Empty(Ids(join.Left).Intersect(Ids(view)));
        // What a copy reads is its own: nothing of the original is left in it.
        var inside = Ids(join.Left);
        var read = join.Left.Parts().SelectMany(part => part.References).Select(column => column.Id);
        Assert.Empty(read.Except(inside));

        static HashSet<Expressions.ColumnId> Ids(LogicalPlan plan) => [.. plan.Parts().SelectMany(part => part.Output).Select(column => column.Id)];
    }

    [Fact]
    public void Files_are_asked_for_by_format_and_path()
    {
        var catalog = new Catalog { Files = (format, path) => format == "parquet" && path == "data/x.parquet" ? new Tables.EmptyTable(path, new Schema(new Field("a", DataType.Int))) : null };
        Assert.Equal("a", Tables.Plan("select * from parquet.`data/x.parquet`", catalog).Output[0].Name);
    }

    [Theory]
    [InlineData("select (select max(v) from u) as m from t having m > 3 order by m + 1")]
    [InlineData("select a from t where (select max(v) from u where u.a = t.a) between 1 and 5")]
    [InlineData("select case (select max(v) from u) when 1 then 'a' when 2 then 'b' end from t")]
    [InlineData("with w as (select a, (select max(v) from u) as m from t group by a having m in (a, 7)) select * from w")]
    public void Each_place_of_a_subquery_has_a_plan_of_its_own(string sql)
    {
        var plan = Tables.Plan(sql);
        var subqueries = plan.Parts().Concat(plan.Parts().OfType<CommonTable>().SelectMany(common => common.Definition.Plan.Parts()))
            .SelectMany(part => part.Expressions.SelectMany(expression => expression.Parts())).OfType<Expressions.SubqueryExpression>().ToArray();
        Assert.True(subqueries.Length > 1);
        var ids = subqueries.SelectMany(subquery => subquery.Plan.Parts().SelectMany(part => part.Output).Select(column => column.Id).Distinct()).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void What_a_view_computes_shows_no_place_in_the_text_of_its_reader()
    {
        var catalog = Tables.Small();
        catalog.Set("view", Tables.Plan("with n as (select a + 1 as b from t) select b + 1 as c, (select max(v + 1) from u) as d from n where b + 2 > 3", catalog));
        var plan = Tables.Plan("select * from view where c > 1", catalog);
        var places = Expressions(plan).Where(part => part.Position.Start >= 0).Select(part => part.ToString());
        Assert.Equal(["(c > 1)", "1", "c", "d"], places.Select(text => text.Split('#')[0] + (text.EndsWith(')') ? text[text.IndexOf(' ', StringComparison.Ordinal)..] : "")).Distinct().Order(StringComparer.Ordinal));

        static IEnumerable<Expressions.Expression> Expressions(LogicalPlan plan) => plan.Parts().SelectMany(part => part.Expressions.SelectMany(expression => expression.Parts())
            .SelectMany(each => each is Expressions.SubqueryExpression subquery ? Expressions(subquery.Plan) : [each])
            .Concat(part is CommonTable common ? Expressions(common.Definition.Plan) : []));
    }
}
