namespace Dataflow.MLlib.TreeBins;

/// <summary>Some rows of the data set as features: what trees are trained on before it is binned. NaN stands for missing.</summary>
/// <remarks>Read by several threads at once.</remarks>
internal abstract class RowSource
{
    /// <summary>The number that the first row has in the whole data set; the others follow.</summary>
    public required long FirstRow { get; init; }

    /// <summary>How many rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Whether a feature's values are of single precision, and so read by the shorter of the two ways.</summary>
    public abstract bool IsSingle(int feature);

    /// <summary>Values of a feature that is of single precision.</summary>
    public abstract void Read(int feature, int first, Span<float> values);

    /// <summary>Values of any feature.</summary>
    public abstract void Read(int feature, int first, Span<double> values);

    /// <summary>Values of some rows of neighbouring features.</summary>
    /// <param name="first">The first feature.</param>
    /// <param name="count">How many features.</param>
    /// <param name="rows">The rows' numbers in the block.</param>
    /// <param name="values">Gets the values of the first feature, and a stride behind those of the next.</param>
    /// <param name="stride">From a feature's values to the next feature's.</param>
    public abstract void Pick(int first, int count, ReadOnlySpan<int> rows, Span<double> values, int stride);
}

/// <summary>Rows that lie one behind the other, all features of a row together.</summary>
internal sealed class DenseRows(ReadOnlyMemory<float> all, int features) : RowSource
{
    public override bool IsSingle(int feature) => true;

    public override void Read(int feature, int first, Span<float> values)
    {
        var source = all.Span;
        var place = ((long)first * features) + feature;
        for (var i = 0; i < values.Length; i++, place += features) values[i] = source[(int)place];
    }

    public override void Read(int feature, int first, Span<double> values)
    {
        var source = all.Span;
        var place = ((long)first * features) + feature;
        for (var i = 0; i < values.Length; i++, place += features) values[i] = source[(int)place];
    }

    public override void Pick(int first, int count, ReadOnlySpan<int> rows, Span<double> values, int stride)
    {
        var source = all.Span;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = source.Slice((int)(((long)rows[i] * features) + first), count);
            for (var feature = 0; feature < row.Length; feature++) values[(feature * stride) + i] = row[feature];
        }
    }
}

/// <summary>Columns of single or double precision, wherever they lie.</summary>
internal interface IColumns
{
    /// <summary>Whether a column is of single precision.</summary>
    bool IsSingle(int column);

    /// <summary>A column of single precision.</summary>
    ReadOnlySpan<float> Singles(int column);

    /// <summary>A column of double precision.</summary>
    ReadOnlySpan<double> Doubles(int column);
}

/// <summary>Columns that are arrays.</summary>
/// <param name="columns"><c>float[]</c> or <c>double[]</c>.</param>
internal sealed class ArrayColumns(IReadOnlyList<Array> columns) : IColumns
{
    public bool IsSingle(int column) => columns[column] is float[];

    public ReadOnlySpan<float> Singles(int column) => (float[])columns[column];

    public ReadOnlySpan<double> Doubles(int column) => (double[])columns[column];
}

/// <summary>Rows by column.</summary>
/// <param name="columns">One a feature, of equal lengths.</param>
internal sealed class ColumnRows(IColumns columns) : RowSource
{
    /// <summary>Rows of arrays.</summary>
    public ColumnRows(IReadOnlyList<Array> columns) : this(new ArrayColumns(columns)) { }

    public override bool IsSingle(int feature) => columns.IsSingle(feature);

    public override void Read(int feature, int first, Span<float> values) => columns.Singles(feature).Slice(first, values.Length).CopyTo(values);

    public override void Read(int feature, int first, Span<double> values)
    {
        if (!columns.IsSingle(feature))
        {
            columns.Doubles(feature).Slice(first, values.Length).CopyTo(values);
            return;
        }
        var singles = columns.Singles(feature).Slice(first, values.Length);
        for (var i = 0; i < values.Length; i++) values[i] = singles[i];
    }

    public override void Pick(int first, int count, ReadOnlySpan<int> rows, Span<double> values, int stride)
    {
        for (var feature = 0; feature < count; feature++)
        {
            var target = values[(feature * stride)..];
            if (!columns.IsSingle(first + feature))
            {
                var doubles = columns.Doubles(first + feature);
                for (var i = 0; i < rows.Length; i++) target[i] = doubles[rows[i]];
                continue;
            }
            var singles = columns.Singles(first + feature);
            for (var i = 0; i < rows.Length; i++) target[i] = singles[rows[i]];
        }
    }
}
