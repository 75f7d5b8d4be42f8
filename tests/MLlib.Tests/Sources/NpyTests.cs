using Dataflow.MLlib.Data;
using Dataflow.TestKit;

namespace Dataflow.MLlib.Tests.Sources;

/// <summary>Arrays of NumPy.</summary>
public sealed class NpyTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Rows_are_read_in_order_with_their_labels(int partitions)
    {
        const int Rows = 20_001;
        var path = Write("x.npy", [.. Enumerable.Range(0, Rows * 3).Select(i => (float)i)], 3);
        var labels = Write("y.npy", [.. Enumerable.Range(0, Rows).Select(i => (byte)(i % 7))]);
        using var context = DataflowContext.Local(2);
        var frame = context.Read.Npy(path, new() { Labels = labels, Partitions = partitions });
        Assert.Equal("f0 float not null, f1 float not null, f2 float not null, label double not null", frame.Schema.ToString());
        var rows = frame.Select(Functions.Col("f2"), Functions.Col("label")).Collect<(float, double)>();
        Assert.Equal(Enumerable.Range(0, Rows).Select(i => ((i * 3) + 2f, (double)(i % 7))), rows);
        var vectors = context.Read.Npy(path, new() { VectorColumn = "v", Partitions = partitions }).Collect<Vector>();
        Assert.Equal(Vector.Dense(60_000f, 60_001f, 60_002f), vectors[^1]);
        Assert.True(vectors[0].IsSingle);
        Assert.Equal(Rows, frame.Count());
    }

    [Fact]
    public void Other_numbers_become_doubles()
    {
        using var context = DataflowContext.Local(1);
        Assert.Equal([-1.0, 2.0], context.Read.Npy(Write("i.npy", [-1L, 2])).Collect<double>());
        Assert.Equal([Vector.Dense(1.0, 2.0)], context.Read.Npy(Write("d.npy", [1.0, 2.0], 2), new() { VectorColumn = "v" }).Collect<Vector>());
        Assert.Empty(context.Read.Npy(Write<double>("e.npy", [], 2)).Collect());
    }

    [Fact]
    public void Files_that_are_no_arrays_of_numbers_are_named_errors()
    {
        using var context = DataflowContext.Local(1);
        var good = File.ReadAllBytes(Write("x.npy", [1f, 2, 3, 4], 2));
        Assert.Contains("no .npy file", Refused("not numpy"u8.ToArray()));
        Assert.Contains("cut short", Refused(good[..^1]));
        Assert.Contains("damaged", Refused([.. good[..8], 255, 255, .. good[10..]]));
        Assert.Contains("version 3", Refused([.. good[..6], 3, .. good[7..]]));
        Assert.Contains("Fortran", Refused(System.Text.Encoding.Latin1.GetBytes(System.Text.Encoding.Latin1.GetString(good).Replace("False", "True "))));
        Assert.Contains("one label each", Assert.Throws<InvalidDataException>(() => context.Read.Npy(Write("x.npy", [1f, 2], 1), new() { Labels = Write("y.npy", [1f]) })).Message);

        string Refused(byte[] bytes)
        {
            var path = Path.Combine(_folder.Path, "bad.npy");
            File.WriteAllBytes(path, bytes);
            return Assert.Throws<InvalidDataException>(() => context.Read.Npy(path)).Message;
        }
    }

    private string Write<T>(string name, T[] values, int columns = 0) where T : unmanaged
    {
        var path = Path.Combine(_folder.Path, name);
        using var file = File.Create(path);
        Npy.Write<T>(file, values, columns);
        return path;
    }
}
