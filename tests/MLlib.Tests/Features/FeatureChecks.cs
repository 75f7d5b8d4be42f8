using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Dataflow.MLlib.Tests.Features;

/// <summary>A pipeline of all kinds of features, for tests that run it in other processes and with other partitions.</summary>
internal static class FeatureChecks
{
    private sealed record Person(int Id, string? Work, double? Age, double Income, int Class);

    public static Pipeline Pipeline { get; } = new(
        new Imputer { InputColumns = ["Work"], Strategy = ImputerStrategy.MostFrequent, MissingText = "?" },
        new Imputer { InputColumns = ["Age", "Income"], OutputColumns = ["age_filled", "income_filled"], Strategy = ImputerStrategy.Median },
        new StringIndexer { InputColumns = ["Work", "Class"], HandleInvalid = InvalidValues.Keep },
        new OneHotEncoder { InputColumns = ["Work_index", "Class_index"], HandleInvalid = InvalidValues.Keep },
        new QuantileDiscretizer { InputColumns = ["age_filled"], Buckets = 5 },
        new VectorAssembler { InputColumns = ["age_filled", "Work_index_vector", "income_filled", "age_filled_bucket", "Class_index_vector"] },
        new MinMaxScaler { OutputColumn = "between" },
        new RobustScaler { OutputColumn = "robust" },
        new MaxAbsScaler { OutputColumn = "magnitude" });

    public static DataFrame Frame(DataflowContext context, int partitions) => context.FromRecords(
        Enumerable.Range(0, 400).Select(i => new Person(i, i % 11 == 0 ? null : i % 13 == 0 ? "?" : $"work {i * i % 7}", i % 5 == 0 ? null : i * 31 % 90 / 3.0, i % 17 == 0 ? double.NaN : i * 997 % 1013 * 1.1, i % 4)), partitions);

    /// <summary>A hash of all bits of what a model makes of the frame.</summary>
    public static string Fingerprint(PipelineModel model, DataFrame frame)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var row in model.Transform(frame).OrderBy("Id").Select("features", "between", "robust", "magnitude").Collect())
        {
            for (var i = 0; i < 4; i++) hash.AppendData(MemoryMarshal.AsBytes(((Vector)row[i]!).ToArray().AsSpan()));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The same for a model that was saved.</summary>
    public static string Loaded(string path)
    {
        using var context = DataflowContext.Local(2);
        return Fingerprint(PipelineModel.Load(path), Frame(context, 3));
    }
}
