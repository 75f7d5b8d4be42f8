using Dataflow.Sql.Kernels;
using Dataflow.Sql.Rows;
using Dataflow.Sql.Sources;
using Dataflow.Streaming.State;

namespace Dataflow.Streaming.Joins;

internal sealed unsafe partial class JoinStateReader
{
    /// <summary>One side: its rows, its table, and the vectors in which its columns are given.</summary>
    private sealed class Side : IDisposable
    {
        private readonly VectorGather[] _gathers;
        private readonly FlatVector[] _stored;
        private readonly int[] _storedPositions;
        private readonly int[] _places;
        private readonly ColumnVector[] _nulls;
        private readonly Func<BatchReader> _open;
        private BatchReader? _input;

        public Side(JoinSide about, Func<BatchReader> open, TaskArena arena)
        {
            (About, _open) = (about, open);
            _storedPositions = about.Stored;
            _places = [.. Enumerable.Range(0, about.Width).Select(column => Array.IndexOf(_storedPositions, column))];
            Keys = new ColumnVector[about.Keys.Count];
            Matches = new SpanMatches(about.Layout.Keys, arena);
            MayNotBeNull = about.Time < 0 ? [.. about.Strict] : [.. about.Strict, about.Time];
            StoredColumns = new ColumnVector[_storedPositions.Length];
            Out = [.. about.Types.Take(about.Width).Select(type => new ColumnVector(type))];
            _gathers = [.. Out.Select(vector => new VectorGather(arena, vector.Type))];
            _stored = [.. _storedPositions.Select(position => new FlatVector(arena, about.Types[position]))];
            var zeros = arena.Rent(64);
            new Span<byte>(zeros.Pointer, 64).Clear();
            _nulls = [.. Out.Select(vector => new ColumnVector(vector.Type) { Form = VectorForm.Constant, Data = zeros.Pointer, Validity = (ulong*)zeros.Pointer, Length = ColumnBatch.MaxRows })];
        }

        public JoinSide About { get; }

        public StateTable Table { get; set; } = null!;

        public BatchReader Input => _input ??= _open();

        /// <summary>The latest time of the batch's rows so far.</summary>
        public long Latest { get; set; } = long.MinValue;

        /// <summary>The columns of rows that may match.</summary>
        public int[] MayNotBeNull { get; }

        /// <summary>Finds rows of the other side.</summary>
        public SpanMatches Matches { get; }

        /// <summary>The keys of the batch.</summary>
        public ColumnVector[] Keys { get; }

        /// <summary>The columns of the batch that are stored.</summary>
        public ColumnVector[] StoredColumns { get; }

        /// <summary>What is given of the side.</summary>
        public ColumnVector[] Out { get; }

        public void Show(ColumnBatch batch)
        {
            for (var i = 0; i < Keys.Length; i++) Keys[i] = batch.Columns[About.Keys[i]];
            for (var i = 0; i < StoredColumns.Length; i++) StoredColumns[i] = batch.Columns[_storedPositions[i]];
        }

        /// <summary>Between which times rows of the other side lie that match rows of the given times.</summary>
        public (long From, long To) TimesOfOther(ReadOnlySpan<long> ofRows)
        {
            if (About.Time < 0 || ofRows.IsEmpty) return (long.MinValue, long.MaxValue);
            var (first, last) = (long.MaxValue, long.MinValue);
            foreach (var time in ofRows) (first, last) = (Math.Min(first, time), Math.Max(last, time));
            var from = About.Life!.OtherEarlier is { } earlier ? (long)Int128.Clamp((Int128)first - earlier, long.MinValue, long.MaxValue) : long.MinValue;
            var to = About.Life.OtherLater is { } later ? (long)Int128.Clamp((Int128)last + later, long.MinValue, long.MaxValue) : long.MaxValue;
            return (from, to);
        }

        /// <summary>Between which times rows lie that match rows of the other side of a span of times.</summary>
        public (long From, long To) TimesNear(long start, long end)
        {
            var from = About.Life!.OtherLater is { } later ? (long)Int128.Clamp((Int128)start - later, long.MinValue, long.MaxValue) : long.MinValue;
            var to = About.Life.OtherEarlier is { } earlier ? (long)Int128.Clamp((Int128)end - 1 + earlier, long.MinValue, long.MaxValue) : long.MaxValue;
            return (from, to);
        }

        /// <summary>Notes the latest time of rows.</summary>
        public void Note(ReadOnlySpan<long> times)
        {
            var latest = Latest;
            foreach (var time in times) latest = Math.Max(latest, time);
            Latest = latest;
        }

        /// <summary>Gives columns of a batch as they are.</summary>
        public void ShareOut(ColumnBatch batch)
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(batch.Columns[i]);
        }

        /// <summary>Gives rows of a batch.</summary>
        public void GatherOut(ColumnBatch batch, ReadOnlySpan<ushort> rows)
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_gathers[i].Gather(batch.Columns[i], rows));
        }

        /// <summary>Gives rows that waited.</summary>
        public void GatherOut(StateSpan span, ReadOnlySpan<int> rows)
        {
            span.Gather(rows, _stored);
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_stored[_places[i]].Vector);
        }

        /// <summary>Gives nulls.</summary>
        public void NullOut()
        {
            for (var i = 0; i < Out.Length; i++) Out[i].Share(_nulls[i]);
        }

        public void Dispose() => _input?.Dispose();
    }
}
