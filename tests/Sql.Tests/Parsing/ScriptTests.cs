using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Tests.Parsing;

public class ScriptTests
{
    [Theory]
    [InlineData("select 1; select 2;", "select 1|select 2")]
    [InlineData(" ; ;select ';' as `a;b` -- c;\n, 2 /* ; */ ;\n\n-- nothing;\n", "select ';' as `a;b` -- c;\n, 2 /* ; */")]
    [InlineData("select 1; select 'x; select 3", "select 1|select 'x; select 3")]
    [InlineData("", "")]
    public void A_script_is_cut_at_semicolons_that_are_not_quoted(string script, string statements) =>
        Assert.Equal(statements.Length == 0 ? [] : statements.Split('|'), Script.Split(script));
}
