using Dataflow.MLlib.Sources;
using Dataflow.Sql.Columns;

namespace Dataflow.MLlib;

/// <summary>LIBSVM (SVMlight) files: <c>1 3:0.5 10:2</c> a line, which many data sets for learners come in.</summary>
public static class LibSvmExtensions
{
    extension(DataFrameReader reader)
    {
        /// <summary>LIBSVM files as a table of <c>label</c> (double) and <c>features</c> (sparse vectors), and <c>qid</c> (bigint) if asked for.</summary>
        /// <remarks>Lazy, but for a pass over the files that finds the largest position if <paramref name="features"/> is not given. Positions in files begin with 1, in vectors
        /// with 0. What follows a <c>#</c> is left out, as are lines without anything else. Large files are read in parts; gzip and other compressed ones as a whole.</remarks>
        /// <param name="path">A file, a folder, a pattern, or several with commas between them.</param>
        /// <param name="features">How many elements vectors have; null finds the largest position.</param>
        /// <param name="queries">Whether lines have a <c>qid:</c>, which becomes a column; without it such numbers are passed over.</param>
        /// <param name="firstPosition">The position in the files of element 0 of vectors: 1 as a rule; 0 for files that count from 0, as LightGBM writes them.</param>
        /// <exception cref="Dataflow.InputException">Nothing is there, or it may not be read.</exception>
        /// <exception cref="QueryException">A line is malformed (when it is read): says file, line and what is wrong with it.</exception>
        public DataFrame LibSvm(string path, int? features = null, bool queries = false, int firstPosition = 1)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(path);
            if (features is { } given) ArgumentOutOfRangeException.ThrowIfLessThan(given, 1, nameof(features));
            Check.Between(firstPosition, 0, 1, nameof(firstPosition));
            return reader.Table(LibSvmTable.Open(path, features ?? LargestPosition(reader, path, firstPosition), queries, reader.TimeZone, firstPosition));
        }
    }

    extension(DataFrameWriter writer)
    {
        /// <summary>LIBSVM files. Elements that are zero are left out; numbers are written so that reading gives the same again.</summary>
        /// <remarks>Action.</remarks>
        /// <param name="path">The folder; it appears whole or not at all.</param>
        /// <param name="label">The column of labels: numbers.</param>
        /// <param name="features">The column of vectors.</param>
        /// <param name="query">A column of whole numbers that are written as <c>qid:</c>; null for none.</param>
        /// <exception cref="QueryException">A column is missing or of a type that does not fit, or a value is null.</exception>
        public void LibSvm(string path, string label = "label", string features = "features", string? query = null) =>
            writer.LibSvmAsync(path, label, features, query).GetAwaiter().GetResult();

        /// <summary>LIBSVM files; see <see cref="LibSvm(DataFrameWriter, string, string, string, string?)"/>.</summary>
        /// <param name="path">The folder.</param>
        /// <param name="label">The column of labels.</param>
        /// <param name="features">The column of vectors.</param>
        /// <param name="query">The column of query numbers; null for none.</param>
        /// <param name="cancellationToken">Ends the work.</param>
        public Task LibSvmAsync(string path, string label = "label", string features = "features", string? query = null, CancellationToken cancellationToken = default) => writer.WriteAsync(
            frame =>
            {
                List<Column> columns = [frame[label].Cast(DataType.Double).As(label), frame[features]];
                if (query is not null) columns.Add(frame[query].Cast(DataType.BigInt).As(query));
                return frame.Select([.. columns]);
            },
            new LibSvmFormat(), path, cancellationToken);
    }

    private static int LargestPosition(DataFrameReader reader, string path, int firstPosition)
    {
        var vectors = reader.Table(LibSvmTable.Open(path, int.MaxValue, queries: false, reader.TimeZone, firstPosition)).Select("features");
        return Math.Max(1, vectors.MapBatches(Largest).Collect().DefaultIfEmpty(1).Max());
    }

    private static IEnumerable<int> Largest(IEnumerable<ColumnBatch> batches) => [batches.Select(LargestOf).DefaultIfEmpty(0).Max()];

    private static unsafe int LargestOf(ColumnBatch batch)
    {
        var largest = 0;
        foreach (var row in batch.Selection)
        {
            var vector = new VectorView(StringView.BytesOf((StringView*)batch.Columns[0].ValueAt(row)));
            if (vector.Stored > 0) largest = Math.Max(largest, 1 + vector.PlaceAt(vector.Stored - 1));
        }
        return largest;
    }
}
