using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Builtins;

/// <summary>Parts of vectors.</summary>
internal static class VectorFunctions
{
    public static void Add(FunctionRegistry registry)
    {
        registry.Add(new RowFunction("vector_size", "vector_size(vector)", "How many elements the vector has, zeros included.",
            [DataType.Vector], DataType.Int, static row => row.Return(new VectorView(row.Text(0)).Size)));
        registry.Add(new RowFunction("vector_get", "vector_get(vector, index)", "The element at a position, counted from 0.",
            [DataType.Vector, DataType.Int], DataType.Double, Get) { Fails = true });
    }

    private static void Get(RowEvaluator row)
    {
        var vector = new VectorView(row.Text(0));
        var index = row.Int(1);
        if ((uint)index >= (uint)vector.Size)
            throw row.Error("INVALID_ARRAY_INDEX", $"There is no element {index} in a vector of {vector.Size}. Positions go from 0 to {vector.Size - 1}.");
        row.Return(vector[index]);
    }
}
