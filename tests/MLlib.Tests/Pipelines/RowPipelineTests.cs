using Dataflow.MLlib.Tests.Linear;
using static Dataflow.Sql.Functions;

namespace Dataflow.MLlib.Tests.Pipelines;

/// <summary>Single rows through pipelines, without any engine: the same bits as queries give.</summary>
public sealed class RowPipelineTests
{
    private sealed record Person(string? Work, double? Age, int Hours, double Income, double Label);

    private sealed record Unlabelled(string? Work, double? Age, int Hours, double Income);

    private sealed record Scored(double Prediction, Vector Probability, string Label);

    private static readonly Pipeline Steps = new(
        new Imputer { InputColumns = ["Age"], Strategy = ImputerStrategy.Median },
        new Imputer { InputColumns = ["Work"], Strategy = ImputerStrategy.MostFrequent, MissingText = "?" },
        new StringIndexer { InputColumns = ["Work"], HandleInvalid = InvalidValues.Keep },
        new OneHotEncoder { InputColumns = ["Work_index"], HandleInvalid = InvalidValues.Keep },
        new Bucketizer { InputColumns = ["Hours"], Splits = [[double.NegativeInfinity, 20, 40, double.PositiveInfinity]] },
        new VectorAssembler { InputColumns = ["Age", "Work_index_vector", "Hours", "Income"], OutputColumn = "raw" },
        new StandardScaler { InputColumns = ["raw"], OutputColumn = "standard" },
        new MinMaxScaler { InputColumns = ["raw"], OutputColumn = "between" });

    private static Person[] People()
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, 300).Select(i =>
        {
            var (work, hours) = (random.Next(4), random.Next(10, 60));
            return new Person(i % 9 == 0 ? "?" : $"work {work}", i % 7 == 0 ? null : random.Next(18, 80), hours, random.NextDouble() * 1e5, work > 1 ^ hours > 35 ? 1 : 0);
        })];
    }

    [Theory]
    [InlineData("logistic")]
    [InlineData("trees")]
    [InlineData("linear")]
    [InlineData("clusters")]
    [InlineData("components")]
    public void Rows_get_the_bits_that_a_query_gives_also_from_many_threads(string kind)
    {
        using var context = DataflowContext.Local(2);
        var people = People();
        var frame = context.FromRecords(people, 3);
        PipelineStage[] last = kind switch
        {
            "logistic" => [new LogisticRegression { FeatureColumns = ["standard", "Hours_bucket"], LabelColumn = "Label", Regularization = 0.01 }],
            "trees" => [new GradientBoostedTreesClassifier { FeatureColumns = ["Age", "Work_index", "Hours"], CategoricalColumns = ["Work_index"], LabelColumn = "Label", Trees = 10 }],
            "linear" => [new LinearRegression { FeaturesColumn = "between", LabelColumn = "Label", Regularization = 0.1 }],
            "clusters" => [new KMeans { FeaturesColumn = "between", Clusters = 5 }],
            _ => [new Pca { InputColumns = ["standard"], Components = 3 }, new KMeans { FeaturesColumn = "components", Clusters = 3 }],
        };
        var model = (Steps with { Stages = [.. Steps.Stages, .. last] }).Fit(frame);
        var expected = model.Transform(frame).Select("prediction").Collect().Select(row => row.Get<double>("prediction")).ToArray();
        context.Dispose();

        using var rows = model.ForRows<Unlabelled, double>();
        var given = people.Select(person => new Unlabelled(person.Work, person.Age, person.Hours, person.Income)).ToArray();
        Assert.Equal(expected, given.Select(rows.Transform));
        Assert.Equal(expected, rows.TransformAll(given));
        Parallel.For(0, given.Length * 4, new() { MaxDegreeOfParallelism = 4 }, i => Assert.Equal(expected[i % given.Length], rows.Transform(given[i % given.Length])));
    }

    [Fact]
    public void A_record_gets_the_columns_it_has_members_for()
    {
        using var context = DataflowContext.Local(1);
        var frame = context.FromRecords(People(), 1);
        var model = (Steps with
        {
            Stages = [.. Steps.Stages, new LogisticRegression { FeaturesColumn = "standard", LabelColumn = "Label", Regularization = 0.1 }, new IndexToString { Labels = ["no", "yes"], OutputColumn = "label_text" }],
        }).Fit(frame);
        var query = model.Transform(frame).Drop("Label").WithColumnRenamed("label_text", "Label").Collect<Scored>();
        using var rows = model.ForRows<Unlabelled, (double Prediction, Vector Probability, string Label)>("prediction", "probability", "label_text");
        var people = People();
        for (var i = 0; i < people.Length; i += 17)
        {
            var (prediction, probability, label) = rows.Transform(new Unlabelled(people[i].Work, people[i].Age, people[i].Hours, people[i].Income));
            Assert.Equal(query[i], new Scored(prediction, probability, label));
        }
        using var records = model.ForRows<Person, Prediction>();
        Assert.Equal(query[5].Prediction, records.Transform(people[5]).prediction);
    }

    private sealed record Prediction(double prediction, Vector probability);

    [Fact]
    public void A_row_that_a_stage_leaves_out_gives_nothing_or_a_named_error()
    {
        using var context = DataflowContext.Local(1);
        var model = new Pipeline(new StringIndexer { InputColumns = ["Work"], HandleInvalid = InvalidValues.Skip }).Fit(context.FromRecords(People(), 1));
        using var rows = model.ForRows<Unlabelled, double>("Work_index");
        var known = new Unlabelled("work 1", 1, 1, 1);
        var unknown = known with { Work = "nothing like it" };
        Assert.True(rows.TryTransform(known, out _));
        Assert.False(rows.TryTransform(unknown, out _));
        Assert.Equal("ROW_LEFT_OUT", Assert.Throws<QueryException>(() => rows.Transform(unknown)).ErrorClass);
        Assert.Equal(2, rows.TransformAll([known, unknown, known]).Length);
    }

    [Fact]
    public void A_wrong_row_is_a_named_error_and_does_not_spoil_the_next()
    {
        using var context = DataflowContext.Local(1);
        var model = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(context.FromRecords(SklearnData.Points, 1));
        using var rows = model.ForRows<Features, double>();
        Assert.Throws<ArgumentNullException>(() => rows.Transform(null!));
        Assert.Contains("Row 1 of 2 is null", Assert.Throws<ArgumentException>(() => rows.TransformAll([new(Vector.Dense(1, 2, 3, 4, 5, 6)), null!])).Message, StringComparison.Ordinal);
        Assert.Contains("6 features", Assert.Throws<QueryException>(() => rows.Transform(new(Vector.Dense(1, 2)))).Message, StringComparison.Ordinal);
        Assert.StartsWith("Column 'prediction' is double, which can't become string.", Assert.Throws<QueryException>(() => model.ForRows<Features, string>("prediction")).Message, StringComparison.Ordinal);
        Assert.Equal(model.Predict([1, 2, 3, 4, 5, 6]), rows.Transform(new(Vector.Dense(1, 2, 3, 4, 5, 6))));
        rows.Dispose();
        Assert.Throws<ObjectDisposedException>(() => rows.Transform(new(Vector.Dense(1, 2, 3, 4, 5, 6))));
    }

    private sealed record Features(Vector features);

    [Fact]
    public void Stages_that_need_an_engine_or_other_rows_are_named()
    {
        using var context = DataflowContext.Local(1);
        var model = new LinearRegression { FeaturesColumn = "Features", LabelColumn = "Label" }.Fit(context.FromRecords(SklearnData.Points, 1));
        var neighbors = new NearestNeighbors { FeaturesColumn = "Features", K = 2 }.Fit(context.FromRecords(SklearnData.Points, 1));
        Assert.Contains("NearestNeighborsModel", Error<SklearnData.Point>(new PipelineModel([model, neighbors])), StringComparison.Ordinal);
        Assert.Contains("MeanOfAll", Error<SklearnData.Point>(new PipelineModel([model, new MeanOfAll()])), StringComparison.Ordinal);
        Assert.Contains("Counted", Error<SklearnData.Point>(new PipelineModel([model, new Counted()])), StringComparison.Ordinal);
        Assert.StartsWith("UNRESOLVED_COLUMN", Assert.Throws<QueryException>(() => model.ForRows<Unlabelled, double>()).ErrorClass, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new VectorAssembler { InputColumns = ["Age", "Hours"], HandleInvalid = InvalidValues.Keep }.ForRows<Unlabelled, double>());

        static string Error<T>(Transformer stage)
        {
            var error = Assert.Throws<QueryException>(() => stage.ForRows<T, double>("prediction"));
            Assert.Equal("NO_ENGINE", error.ErrorClass);
            return error.Message;
        }
    }

    private sealed record MeanOfAll : Transformer
    {
        public override DataFrame Transform(DataFrame frame) => frame.GroupBy("prediction").Agg(Count().As("rows"));
    }

    private sealed record Counted : Transformer
    {
        public override DataFrame Transform(DataFrame frame) => frame.WithColumn("rows", Lit(frame.Count()));
    }
}
