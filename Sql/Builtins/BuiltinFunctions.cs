using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>The functions that every session has.</summary>
public static class BuiltinFunctions
{
    /// <summary>All of them, by name.</summary>
    public static FunctionRegistry Registry { get; } = Make();

    private static FunctionRegistry Make()
    {
        var registry = new FunctionRegistry();
        AddOperators(registry);
        BitFunction.Add(registry);
        TimestampUnits.Add(registry);
        TimeWindowFunction.Add(registry);
        SessionFunction.Add(registry);
        AddConditionals(registry);
        registry.Add(new LikeFunction("like"));
        registry.Add(new LikeFunction("ilike"));
        RegexFunctions.Add(registry);
        JsonFunctions.Add(registry);
        SubstringFunctions.Add(registry);
        DateParts.Add(registry);
        registry.Add(new AddIntervalFunction());
        DateFunctions.Add(registry);
        TimeTextFunctions.Add(registry);
        MathFunctions.Add(registry);
        IntegerFunctions.Add(registry);
        registry.Add(new CeilFunction("ceil"));
        registry.Add(new CeilFunction("floor"));
        registry.Add(new RoundFunction("round"));
        registry.Add(new RoundFunction("bround"));
        TextFunctions.Add(registry);
        TextMeasures.Add(registry);
        registry.Add(new ConcatFunction());
        registry.Add(new ConcatWithSeparatorFunction());
        TextCodes.Add(registry);
        ZoneFunctions.Add(registry);
        CheckFunctions.Add(registry);
        HashFunctions.Add(registry);
        VectorFunctions.Add(registry);
        registry.Add(new TypeOfFunction());
        registry.Add(new RandomFunction());
        AddAggregates(registry);
        AddWindows(registry);
        return registry;
    }

    private static void AddOperators(FunctionRegistry registry)
    {
        registry.Add(new ArithmeticFunction('+', "The sum."));
        registry.Add(new ArithmeticFunction('-', "The difference."));
        registry.Add(new ArithmeticFunction('*', "The product."));
        registry.Add(new SignFunction("negative", "The number with the other sign."));
        registry.Add(new SignFunction("positive", "The number as it is."));
        registry.Add(new SignFunction("abs", "The number without its sign."));
        registry.Add(new DivideFunction());
        registry.Add(new RemainderFunction("%", "What is left of a division, with the sign of a."));
        registry.Add(new RemainderFunction("pmod", "What is left of a division, never negative for a positive divisor."));
        registry.Add(new RemainderFunction("div", "The whole part of a quotient, as a bigint."));
        registry.Add(new ComparisonFunction("=", Relation.Equal, "Whether both are equal."));
        registry.Add(new ComparisonFunction("<>", Relation.NotEqual, "Whether both differ."));
        registry.Add(new ComparisonFunction("<", Relation.Less, "Whether a is less than b."));
        registry.Add(new ComparisonFunction("<=", Relation.LessOrEqual, "Whether a is not greater than b."));
        registry.Add(new ComparisonFunction(">", Relation.Greater, "Whether a is greater than b."));
        registry.Add(new ComparisonFunction(">=", Relation.GreaterOrEqual, "Whether a is not less than b."));
        registry.Add(new AndOrFunction("and"));
        registry.Add(new AndOrFunction("or"));
        registry.Add(new NotFunction());
    }

    private static void AddConditionals(FunctionRegistry registry)
    {
        registry.Add(new NullTestFunction("isnull"));
        registry.Add(new NullTestFunction("isnotnull"));
        registry.Add(new NullSafeEqualFunction());
        registry.Add(new CoalesceFunction("coalesce", int.MaxValue));
        registry.Add(new CoalesceFunction("nvl", 2));
        registry.Add(new CoalesceFunction("ifnull", 2));
        registry.Add(new IfFunction());
        registry.Add(new Nvl2Function());
        registry.Add(new NullIfFunction());
        registry.Add(new GreatestFunction("greatest"));
        registry.Add(new GreatestFunction("least"));
    }

    private static void AddAggregates(FunctionRegistry registry)
    {
        registry.Add(new CountFunction());
        registry.Add(new SumFunction());
        registry.Add(new AverageFunction());
        registry.Add(new ExtremeFunction("min"));
        registry.Add(new ExtremeFunction("max"));
        registry.Add(new PickFunction("any_value", [], isLast: false, skipsNulls: true));
        registry.Add(new PickFunction("first", ["first_value"], isLast: false, skipsNulls: false));
        registry.Add(new PickFunction("last", ["last_value"], isLast: true, skipsNulls: false));
        registry.Add(new PickByFunction("min_by"));
        registry.Add(new PickByFunction("max_by"));
        registry.Add(new BooleanFunction("bool_and", ["every"]));
        registry.Add(new BooleanFunction("bool_or", ["any", "some"]));
        registry.Add(new CountIfFunction());
        registry.Add(new ApproximateCountFunction());
        registry.Add(new PercentileFunction("median", []));
        registry.Add(new PercentileFunction("percentile", ["percentile_cont"]));
        registry.Add(new PercentileFunction("percentile_disc", []));
        BitAggregate.Add(registry);
        registry.Add(new ModeFunction());
        MomentFunction.Add(registry);
    }

    private static void AddWindows(FunctionRegistry registry)
    {
        registry.Add(new RankFunction("row_number", DataType.Int, "The row's number in its partition, from 1."));
        registry.Add(new RankFunction("rank", DataType.Int, "1 and the number of rows that come before; equal rows have the same."));
        registry.Add(new RankFunction("dense_rank", DataType.Int, "1 and the number of different orders that come before."));
        registry.Add(new RankFunction("percent_rank", DataType.Double, "The rank less 1, of the rows of the partition less 1."));
        registry.Add(new RankFunction("cume_dist", DataType.Double, "The share of the partition's rows that come before or are equal."));
        registry.Add(new NTileFunction());
        registry.Add(new OffsetFunction("lag"));
        registry.Add(new OffsetFunction("lead"));
        registry.Add(new NthValueFunction());
    }
}
