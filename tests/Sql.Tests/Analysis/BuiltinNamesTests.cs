using Dataflow.Sql.Analysis;
using Dataflow.Sql.Builtins;
using Dataflow.Sql.Kernels;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Analysis;

public class BuiltinNamesTests
{
    [Theory]
    [MemberData(nameof(TpchTests.Queries), MemberType = typeof(TpchTests))]
    public void Each_query_of_Tpch_is_bound_with_the_functions_that_sessions_have(string name)
    {
        var sql = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/Benchmarks/tpch", name + ".sql"));
        Assert.IsType<QueryStatement>(Binder.Bind(sql, Tables.Tpch(), BuiltinFunctions.Registry, new SessionSettings()));
    }

    [Theory]
    [InlineData("a + b, a - b, a * b, a / b, a % b, a div b, d * d, d / 3, c + d")]
    [InlineData("a = b, a <> b, a < b, a <= b, a > b, a >= b, a <=> b, a is null, a is not null, x and x or not x")]
    [InlineData("s like 'a', s ilike 'a', s rlike 'a', substring(s from 1 for 2), a in (1, 2), a between 1 and 2, s like 'a' escape '!'")]
    [InlineData("e + interval '1' month, e - interval '1' day, w + interval '1' hour, e + 3, 3 + e, e - 3, e - e, w - w, interval '1' day * 2, interval '1' day / 2")]
    [InlineData("(e - e) + interval '1' day, extract(year from e), extract(hour from w), if(x, 1, 2), nullif(a, b), nvl2(a, 1, 2), coalesce(a, b)")]
    [InlineData("cast(s as int), try_cast(s as date), '2024-01-31' - e, e - '2024-01-31', e + null, null - e, '2024-01-31' + interval '1' hour")]
    [InlineData("-a, -(e - e), +a, a & b, a | b, a ^ b, ~a, a << 2, a >> 2, a >>> 2, s || s || 'x', b % 3")]
    [InlineData("date_add(e, 1), datediff(e, e), dateadd(day, 1, w), timestampdiff(hour, w, w), date_diff(day, e, e), timestampadd(month, 1, w)")]
    [InlineData("trim(s), trim(both 'x' from s), trim(leading 'x' from s), trim(trailing from s), position('a' in s), position('a', s), current_date, current_timestamp, localtimestamp")]
    public void What_the_language_needs_is_there(string items)
    {
        var plan = Binder.Bind($"select {items} from t", Tables.Small(), BuiltinFunctions.Registry, new SessionSettings());
        Assert.IsType<QueryStatement>(plan);
    }
}
