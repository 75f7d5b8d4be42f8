namespace Dataflow.Streaming.State;

/// <summary>Reads times of rows.</summary>
internal static unsafe class StateTimes
{
    /// <summary>The times of rows; anything where they are null.</summary>
    /// <param name="times">A column of 64 bits.</param>
    /// <param name="rows">Which of its rows.</param>
    /// <param name="to">Gets one for each.</param>
    public static void Read(ColumnVector times, ReadOnlySpan<ushort> rows, Span<long> to)
    {
        var data = (long*)times.Data;
        switch (times.Form)
        {
            case VectorForm.Flat:
                for (var i = 0; i < rows.Length; i++) to[i] = data[rows[i]];
                break;
            case VectorForm.Constant: to[..rows.Length].Fill(*data); break;
            default:
                var values = (long*)times.Dictionary!.Values.Data;
                var codes = times.Codes;
                for (var i = 0; i < rows.Length; i++) to[i] = values[codes[rows[i]]];
                break;
        }
    }
}
