namespace Dataflow.Sql.Tests.Parsing;

public class SqlTextTests
{
    [Fact]
    public void Holes_become_parameters()
    {
        const string name = "O'Hara";
        SqlText text = $"select * from t where name = {name} -- it's here\n and 'it\\'s' <> `a'b` and a > {3} /* don't */ and b in ({1.5m})";
        Assert.Equal("select * from t where name = ? -- it's here\n and 'it\\'s' <> `a'b` and a > ? /* don't */ and b in (?)", text.Text);
        Assert.Equal([name, 3, 1.5m], text.Values);
    }

    [Fact]
    public void A_hole_inside_quotes_or_a_comment_is_an_error()
    {
        const string name = "x";
        foreach (var make in (Func<SqlText>[])[() => $"select '{name}'", () => $"select `{name}`", () => $"select 1 -- {name}", () => $"select /* {name} */ 1", () => $"select \"{name}"])
        {
            Assert.Equal("INVALID_PARAMETER", Assert.Throws<QueryException>(make).ErrorClass);
        }
    }
}
