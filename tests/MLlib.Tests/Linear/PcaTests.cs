using Dataflow.MLlib.Linalg;
using Dataflow.TestKit;
using MathNet.Numerics.LinearAlgebra;

namespace Dataflow.MLlib.Tests.Linear;

/// <summary>Principal components and row matrices.</summary>
public sealed class PcaTests
{
    [Fact]
    public void It_finds_what_scikit_learn_finds_but_for_signs()
    {
        using var context = DataflowContext.Local(2);
        using var folder = new TempDirectory();
        var frame = context.FromRecords(SklearnData.Points, 3);
        var model = new Pca { InputColumns = ["Features"], Components = 4, OutputColumn = "z" }.Fit(frame);
        var expected = SklearnData.Get<double[][]>("pca", "components");
        for (var k = 0; k < 4; k++)
        {
            var largest = expected[k].MaxBy(Math.Abs);
            SklearnData.AssertClose([.. expected[k].Select(value => largest < 0 ? -value : value)], model.Components.Slice(k * 6, 6), 1e-10);
        }
        SklearnData.AssertClose(SklearnData.Get<double[]>("pca", "variances"), model.ExplainedVariance, 1e-12);
        SklearnData.AssertClose(SklearnData.Get<double[]>("pca", "shares"), model.ExplainedShare, 1e-12);
        SklearnData.AssertClose([.. SklearnData.Get<double[]>("pca", "first").Select(Math.Abs)], model.Project(SklearnData.X[0]).Select(Math.Abs).ToArray(), 1e-10);
        model.Save(Path.Combine(folder.Path, "m"));
        var rows = PcaModel.Load(Path.Combine(folder.Path, "m")).Transform(frame).Collect();
        Assert.Equal(SklearnData.X.Select(row => model.Project(row)), rows.Select(row => row.Get<Vector>("z").ToArray()));
    }

    [Fact]
    public void Edges_are_named_errors_or_right()
    {
        using var context = DataflowContext.Local(2);
        var frame = context.FromRecords(SklearnData.Points, 3);
        Assert.Contains("7 components of 6", Assert.ThrowsAny<DataflowException>(() => new Pca { InputColumns = ["Features"], Components = 7 }.Fit(frame)).ToString());
        Assert.Contains("without rows", Assert.ThrowsAny<DataflowException>(() => new Pca { InputColumns = ["Features"] }.Fit(frame.Where("Label > 1e9"))).ToString());
        var one = new Pca { InputColumns = ["Features"], Components = 6 }.Fit(frame.Limit(1));
        Assert.Equal(new double[6], one.ExplainedVariance.ToArray());
        Assert.Equal(new double[6], one.ExplainedShare.ToArray());
        var constant = new Pca { InputColumns = ["Label", "c"], Components = 2 }.Fit(frame.WithColumn("c", Functions.Lit(3.0)));
        SklearnData.AssertClose([1, 0, 0, 1], constant.Components, 1e-12);
    }

    [Fact]
    public void A_row_matrix_multiplies_and_decomposes()
    {
        using var context = DataflowContext.Local(2);
        var local = Matrix<double>.Build.DenseOfRowArrays(SklearnData.X);
        var rows = RowMatrix.Of(context.Parallelize(SklearnData.X, 4));
        Assert.Equal(120, rows.RowCount());
        Near(local.TransposeThisAndMultiply(local), rows.Gramian());
        SklearnData.AssertClose((local.ColumnSums() / 120).ToArray(), rows.ColumnMeans(), 1e-12);
        Near(local.TransposeThisAndMultiply(local), RowMatrix.Of(context.FromRecords(SklearnData.Points), "Features").Gramian());
        var right = Matrix<double>.Build.Dense(6, 2, (i, j) => i - (2 * j));
        Near(local * right, Matrix<double>.Build.DenseOfRowArrays(rows.Multiply(right).Rows.Collect()));
        var covariance = rows.Covariance();
        Assert.Equal(MathNet.Numerics.Statistics.Statistics.Covariance(local.Column(0), local.Column(3)), covariance[3, 0], 10);

        var (u, s, v) = rows.Svd(6, withU: true);
        SklearnData.AssertClose(local.Svd().S.ToArray(), s, 1e-8);
        Near(local, Matrix<double>.Build.DenseOfRowArrays(u!.Rows.Collect()) * Matrix<double>.Build.DenseOfDiagonalArray(s) * v.Transpose());
        Assert.Equal(2, RowMatrix.Of(context.Parallelize(SklearnData.X.Select(row => new[] { row[0], 2 * row[0], row[1] }), 2)).Svd(3).S.Length);
        Assert.ThrowsAny<DataflowException>(() => rows.Multiply(Matrix<double>.Build.Dense(5, 1)).Rows.Collect());
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Svd(7));
    }

    private static void Near(Matrix<double> expected, Matrix<double> actual) => SklearnData.AssertClose(expected.ToColumnMajorArray(), actual.ToColumnMajorArray(), 1e-10);
}
