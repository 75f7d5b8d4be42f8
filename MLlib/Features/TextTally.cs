using System.Runtime.InteropServices;
using System.Text;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib.Features;

/// <summary>Counts the texts of some columns, in one pass.</summary>
internal static class TextTally
{
    /// <summary>How often each text is in each column. Null is not counted.</summary>
    /// <remarks>Action, two stages: each partition counts by itself, and at most (distinct texts x partitions) pairs are shuffled. Memory: the distinct
    /// texts of a partition in its task, all of them in this process.</remarks>
    /// <param name="frame">The frame.</param>
    /// <param name="columns">Names of columns; what is no text is cast.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>By column, in no order.</returns>
    public static async Task<List<(string Text, long Count)>[]> CountAsync(DataFrame frame, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        var texts = frame.Select([.. columns.Select((name, i) => frame[name].Cast(DataType.String).As($"t{i}"))]);
        var width = columns.Count;
        var pairs = await texts.MapBatches(batches => Count(batches, width)).ReduceByKey(static (a, b) => a + b).CollectAsync(cancellationToken).ConfigureAwait(false);
        var counts = new List<(string, long)>[width];
        for (var i = 0; i < width; i++) counts[i] = [];
        foreach (var (key, count) in pairs) counts[key.Column].Add((key.Text, count));
        return counts;
    }

    private static IEnumerable<((int Column, string Text) Key, long Value)> Count(IEnumerable<ColumnBatch> batches, int width)
    {
        var tallies = new Tally[width];
        for (var i = 0; i < width; i++) tallies[i] = new Tally();
        foreach (var batch in batches)
        {
            for (var i = 0; i < width; i++) tallies[i].Add(batch, batch.Columns[i]);
        }
        for (var i = 0; i < width; i++)
        {
            foreach (var (text, count) in tallies[i].Counts) yield return ((i, text), count);
        }
    }

    private sealed unsafe class Tally
    {
        private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;
        private char[] _characters = new char[256];
        private long[] _codes = [];

        public Tally() => _lookup = Counts.GetAlternateLookup<ReadOnlySpan<char>>();

        public Dictionary<string, long> Counts { get; } = new(StringComparer.Ordinal);

        public void Add(ColumnBatch batch, ColumnVector column)
        {
            if (column.Form == VectorForm.Dictionary)
            {
                AddCodes(batch, column);
                return;
            }
            foreach (var row in batch.Selection)
            {
                if (!column.IsNull(row)) Add((StringView*)column.ValueAt(row), 1);
            }
        }

        // Texts of a dictionary are looked up once a batch, whatever the number of rows.
        private void AddCodes(ColumnBatch batch, ColumnVector column)
        {
            var values = column.Dictionary!.Values;
            if (_codes.Length < values.Length) _codes = new long[values.Length];
            var codes = column.Codes;
            foreach (var row in batch.Selection)
            {
                if (column.Validity == null || !column.IsNull(row)) _codes[codes[row]]++;
            }
            foreach (var row in batch.Selection)
            {
                var code = codes[row];
                if (_codes[code] == 0) continue;
                Add((StringView*)values.ValueAt((int)code), _codes[code]);
                _codes[code] = 0;
            }
        }

        private void Add(StringView* text, long count)
        {
            var bytes = StringView.BytesOf(text);
            if (_characters.Length < bytes.Length) _characters = new char[bytes.Length * 2];
            var length = Encoding.UTF8.GetChars(bytes, _characters);
            CollectionsMarshal.GetValueRefOrAddDefault(_lookup, _characters.AsSpan(0, length), out _) += count;
        }
    }
}
