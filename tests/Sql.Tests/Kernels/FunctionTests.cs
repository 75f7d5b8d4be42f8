using Dataflow.Sql.Builtins;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Expressions;
using static Dataflow.Sql.Tests.Kernels.KernelRig;

namespace Dataflow.Sql.Tests.Kernels;

/// <summary>Values are those that Spark 4's documentation and its golden files give.</summary>
public sealed class FunctionTests
{
    public static TheoryData<string, object?[], object?> Values => new()
    {
        { "upper", ["SparkSqlé"], "SPARKSQLÉ" },
        { "lower", ["SparkSql"], "sparksql" },
        { "initcap", ["sPark sql"], "Spark Sql" },
        { "trim", ["    SparkSQL   "], "SparkSQL" },
        { "trim", ["SL", "SSparkSQLS"], "parkSQ" },
        { "ltrim", ["    SparkSQL   "], "SparkSQL   " },
        { "rtrim", ["    SparkSQL   "], "    SparkSQL" },
        { "btrim", ["SSparkSQLS", "SL"], "parkSQ" },
        { "lpad", ["hi", 5, "??"], "???hi" },
        { "lpad", ["hi", 1, "??"], "h" },
        { "rpad", ["hi", 5], "hi   " },
        { "rpad", ["hé", 5, "漢ab"], "hé漢ab" },
        { "repeat", ["123", 2], "123123" },
        { "reverse", ["Spark é漢"], "漢é krapS" },
        { "space", [2], "  " },
        { "chr", [65L], "A" },
        { "ascii", ["222"], 50 },
        { "ascii", [""], 0 },
        { "length", ["Spark é漢 "], 9 },
        { "octet_length", ["é漢"], 5 },
        { "instr", ["SparkSQL", "SQL"], 6 },
        { "locate", ["bar", "foobarbar"], 4 },
        { "locate", ["bar", "foobarbar", 5], 7 },
        { "position", ["x", "abc"], 0 },
        { "replace", ["ABCabc", "abc", "DEF"], "ABCDEF" },
        { "replace", ["abcabc", "b"], "acac" },
        { "translate", ["AaBbCc", "abc", "123"], "A1B2C3" },
        { "translate", ["AaBbCc", "abc", "1"], "A1BC" },
        { "startswith", ["Spark SQL", "Spark"], true },
        { "endswith", ["Spark SQL", "SQL"], true },
        { "contains", ["Spark SQL", "k S"], true },
        { "levenshtein", ["kitten", "sitting"], 3 },
        { "soundex", ["Miller"], "M460" },
        { "find_in_set", ["ab", "abc,b,ab,c,def"], 3 },
        { "concat", ["Spark", "SQL"], "SparkSQL" },
        { "concat", ["Spark", null], null },
        { "||", ["a", 1], "a1" },
        { "concat_ws", [" ", "Spark", null, "SQL"], "Spark SQL" },
        { "concat_ws", [null, "Spark"], null },
        { "format_number", [12332.123456, 4], "12,332.1235" },
        { "split_part", ["11.12.13", ".", -1], "13" },
        { "substring", ["Spark SQL", 0, 3], "Spa" },
        { "substring", ["Spark SQL", -12, 5], "Sp" },
        { "base64", ["Spark SQL"], "U3BhcmsgU1FM" },
        { "md5", ["Spark"], "8cde774d6f7333752ed72cacddb05126" },
        { "sha1", ["Spark"], "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c" },
        { "sha2", ["Spark", 256], "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b" },
        { "sha2", ["abc", 224], "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
        { "crc32", ["Spark"], 1557323817L },
        { "hash", ["Spark", 123, 2], -1321691492 },
        { "xxhash64", ["Spark", 123, 2], 5602566077635097486L },
        { "hex", [17L], "11" },
        { "hex", ["Spark SQL"], "537061726B2053514C" },
        { "bin", [13L], "1101" },
        { "bin", [-13L], "1111111111111111111111111111111111111111111111111111111111110011" },
        { "conv", ["100", 2, 10], "4" },
        { "conv", ["-10", 16, -10], "-16" },
        { "factorial", [5], 120L },
        { "factorial", [21], null },
        { "sqrt", [4.0], 2.0 },
        { "cbrt", [27.0], 3.0 },
        { "ln", [1.0], 0.0 },
        { "ln", [0.0], null },
        { "log", [10.0, 100.0], 2.0 },
        { "log10", [10.0], 1.0 },
        { "log2", [2.0], 1.0 },
        { "power", [2.0, 3.0], 8.0 },
        { "sign", [-40.5], -1.0 },
        { "degrees", [Math.PI], 180.0 },
        { "pi", [], Math.PI },
        { "ceil", [-0.1], 0L },
        { "floor", [-0.1], -1L },
        { "ceil", [5], 5L },
        { "round", [2.5], 3.0 },
        { "round", [2.675, 2], 2.68 },
        { "bround", [2.5], 2.0 },
        { "round", [25, -1], 30 },
        { "bround", [25, -1], 20 },
        { "pmod", [-10, 3], 2 },
        { "%", [-10, 3], -1 },
        { "div", [-7, 2], -3L },
        { "/", [7, 2], 3.5 },
        { "abs", [-1], 1 },
        { "negative", [1L], -1L },
        { "isnan", [double.NaN], true },
        { "isnan", [null], false },
        { "&", [3, 5], 1 },
        { "|", [3L, 5], 7L },
        { "^", [3, 5], 6 },
        { "~", [0], -1 },
        { "shiftleft", [2, 1], 4 },
        { "shiftright", [-4L, 1], -2L },
        { "shiftrightunsigned", [-4, 30], 3 },
        { "regexp_replace", ["100-200", "(\\d+)", "num"], "num-num" },
        { "regexp_extract", ["100-200", "(\\d+)-(\\d+)", 2], "200" },
        { "regexp_extract", ["x", "(\\d+)"], "" },
        { "regexp_count", ["Steven Jones and Stephen Smith are the best players", "Ste(v|ph)en"], 2 },
        { "regexp_substr", ["abc", "z"], null },
        { "regexp_instr", ["éa@b", "@"], 3 },
        { "typeof", [1], "int" },
        { "months_between", ["1997-02-28 10:30:00", "1996-10-30"], 3.94959677 },
        { "date_format", ["2016-04-08", "y"], "2016" },
        { "date_format", ["2016-04-08 13:05:09.25", "EEE, d MMM yyyy h:mm:ss.SSS a 'o''clock'"], "Fri, 8 Apr 2016 1:05:09.250 PM o'clock" },
        { "unix_timestamp", ["2016-04-08", "yyyy-MM-dd"], 1460073600L },
        { "from_unixtime", [0L], "1970-01-01 00:00:00" },
        { "from_unixtime", [0L, "yyyy-MM"], "1970-01" },
        { "next_day", ["2015-01-14", "TU"], CivilDate.DaysOf(2015, 1, 20) },
        { "last_day", ["2009-01-12"], CivilDate.DaysOf(2009, 1, 31) },
        { "add_months", ["2016-08-31", 1], CivilDate.DaysOf(2016, 9, 30) },
        { "datediff", ["2009-07-31", "2009-07-30"], 1 },
        { "date_add", ["2016-07-30", 1], CivilDate.DaysOf(2016, 7, 31) },
        { "trunc", ["2019-08-04", "week"], CivilDate.DaysOf(2019, 7, 29) },
        { "trunc", ["2019-08-04", "quarter"], CivilDate.DaysOf(2019, 7, 1) },
        { "make_date", [2013, 7, 15], CivilDate.DaysOf(2013, 7, 15) },
        { "to_date", ["31/12/2016", "dd/MM/yyyy"], CivilDate.DaysOf(2016, 12, 31) },
        { "dayname", ["2008-02-20"], "Wed" },
        { "monthname", ["2008-02-20"], "Feb" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Functions_give_what_Spark_gives(string name, object?[] arguments, object? expected)
    {
        using var rig = new KernelRig();
        var call = Call(name, [.. arguments.Select(Literal)]);
        var actual = rig.One(call);
        if (expected is double number) Assert.Equal(number, (double)actual!, 1e-12);
        else Assert.Equal(expected, actual);

        // The same of columns, with a null row, and coded by a dictionary.
        if (arguments.Length == 0 || arguments.Contains(null) || name is "round" or "bround" or "typeof") return;
        using var columns = new KernelRig();
        var given = arguments.Select((each, i) => (Expression)columns.Column("c" + i, Literal(each).Type, each, each, null, each)).ToArray();
        var byRows = columns.Evaluate(Call(name, given));
        Assert.Equal(actual, byRows[0]);
        Assert.Equal(actual, byRows[3]);
        if (name is not ("isnan" or "hash" or "xxhash64" or "concat_ws")) Assert.Null(byRows[2]);
        using var coded = new KernelRig();
        var codes = coded.Coded("c", Literal(arguments[0]).Type, [arguments[0]!], [0, null, 0]);
        var byCodes = coded.Evaluate(Call(name, [codes, .. arguments.Skip(1).Select(Literal)]));
        Assert.Equal(actual, byCodes[2]);
    }

    [Fact]
    public void Hashes_are_those_of_the_published_algorithms()
    {
        using var rig = new KernelRig();
        Assert.Equal(unchecked((long)0x44BC2CF5AD770999), Dataflow.Sql.Kernels.SparkHash.Xx("abc"u8, 0));
        Assert.Equal(-559580957, rig.One(Call("hash", Int(1))));
        Assert.Equal(-7001672635703045582L, rig.One(Call("xxhash64", Value(1L, DataType.BigInt))));
    }

    [Fact]
    public void Every_function_says_how_it_is_called_and_what_it_gives()
    {
        foreach (var name in BuiltinFunctions.Registry.Names)
        {
            var (usage, summary) = BuiltinFunctions.Registry.FindScalar(name) is { } scalar ? (scalar.Usage, scalar.Summary)
                : BuiltinFunctions.Registry.FindAggregate(name) is { } aggregate ? (aggregate.Usage, aggregate.Summary)
                : (BuiltinFunctions.Registry.FindWindow(name)!.Usage, BuiltinFunctions.Registry.FindWindow(name)!.Summary);
            Assert.True(usage.Length > 0 && summary.EndsWith('.'), $"{name}: '{summary}' is no sentence.");
        }
    }

    private static Literal Literal(object? value) => value switch
    {
        string => new Literal(value, DataType.String),
        int => new Literal(value, DataType.Int),
        long => new Literal(value, DataType.BigInt),
        double => new Literal(value, DataType.Double),
        bool => new Literal(value, DataType.Boolean),
        _ => new Literal(null, DataType.Null),
    };
}
