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
        AddAggregates(registry);
        return registry;
    }

    private static void AddOperators(FunctionRegistry registry)
    {
        registry.Add(new ArithmeticFunction('+', "The sum."));
        registry.Add(new ArithmeticFunction('-', "The difference."));
        registry.Add(new ArithmeticFunction('*', "The product."));
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

    private static void AddAggregates(FunctionRegistry registry)
    {
        registry.Add(new CountFunction());
        registry.Add(new SumFunction());
        registry.Add(new AverageFunction());
        registry.Add(new ExtremeFunction("min"));
        registry.Add(new ExtremeFunction("max"));
    }
}
