using Dataflow.Streaming.Checkpoints;
using Dataflow.Streaming.Execution;

namespace Dataflow.Streaming;

/// <summary>Streams on a context, and what frames of streams have besides.</summary>
public static class StreamingExtensions
{
    extension(DataflowContext context)
    {
        /// <summary>Opens streams as frames.</summary>
        public DataStreamReader ReadStream => new(SqlSession.Of(context));

        /// <summary>Opens the state in a checkpoint as a frame, without the query: its keys and values, and the number of the <c>partition</c>.</summary>
        /// <remarks>Lazy, a task for each partition. Of an aggregate and of sessions the values are those of the aggregates, as the query would give them now; where these do not follow from what is
        /// kept (functions of the program, and those with constants such as <c>percentile(x, 0.9)</c>), their states as they are kept: columns <c>NAME.0</c>, <c>NAME.1</c>. Of groups with state of the
        /// program's own there is a row for each value, list element, map entry and timer, with bytes that only the program can read. The query may run meanwhile: the frame is of one batch.</remarks>
        /// <param name="checkpoint">The folder that the query's <c>Checkpoint</c> names.</param>
        /// <param name="operator">Which of the operators with state, as <see cref="ReadStateMetadata"/> numbers them.</param>
        /// <param name="partition">Of one partition only; null for all.</param>
        /// <param name="batch">After which batch; null for the last that is done.</param>
        /// <param name="side">Which side of a join.</param>
        /// <exception cref="StreamingException">There is no such checkpoint, operator, partition or batch; files are missing (<c>CHECKPOINT_DAMAGED</c>); or the checkpoint was written by a version
        /// that did not say what its state is (<c>STATE_NOT_DESCRIBED</c>). When the frame is computed: a file is damaged, or went as the query went on (<c>STATE_GONE</c>).</exception>
        public DataFrame ReadState(string checkpoint, int @operator = 0, int? partition = null, long? batch = null, StateJoinSide side = StateJoinSide.Left)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(checkpoint);
            return new StateInspector(SqlSession.Of(context), checkpoint).Read(@operator, partition, batch, side);
        }

        /// <summary>What a checkpoint says of its query, where that is, and which state can be read.</summary>
        /// <param name="checkpoint">The folder that the query's <c>Checkpoint</c> names.</param>
        /// <exception cref="StreamingException">There is no such checkpoint, it is damaged, or it was written by a version that did not say what its state is.</exception>
        public CheckpointState ReadStateMetadata(string checkpoint)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(checkpoint);
            return new StateInspector(SqlSession.Of(context), checkpoint).Describe();
        }

        /// <summary>The queries over streams that go on, and who is told of them.</summary>
        public StreamingQueries Streams => StreamingQueries.Of(context);
    }

    extension(DataFrame frame)
    {
        /// <summary>Whether it reads a stream, and so goes on as long as that does.</summary>
        public bool IsStreaming => frame.Plan.IsEndless;

        /// <summary>Starts a query that goes on: <c>frame.WriteStream.Start(sink, options)</c>.</summary>
        public DataStreamWriter WriteStream => new(frame);

        /// <summary>Of the rows of a stream that have equal values in some columns the first; whoever has them again is left out, as long as the first is remembered: until the watermark
        /// is later than its time by the watermark's delay.</summary>
        /// <remarks>Lazy, wide. For rows that come twice with different times, as from a sender that tries again: <c>DropDuplicates</c> on a stream remembers a key for ever, or, where the
        /// watermark's time is one of its columns, until that is over. In a frame that is no stream it is <c>DropDuplicates</c>.</remarks>
        /// <param name="columns">Names of columns; none for all.</param>
        /// <exception cref="QueryException">There is no such column.</exception>
        public DataFrame DropDuplicatesWithinWatermark(params string[] columns)
        {
            ArgumentNullException.ThrowIfNull(columns);
            if (!frame.IsStreaming) return frame.DropDuplicates(columns);
            StreamingStrategy.AddTo(frame.Session);
            var keys = columns.Length == 0 ? frame.Plan.Output : [.. columns.Select(column => frame.Plan.Output[PositionOf(frame, "DropDuplicatesWithinWatermark", column)])];
            return new DataFrame(frame.Session, new KeepFirst(keys, frame.Plan), frame.Text);
        }

        /// <summary>Says which column has the time of what happened, and how late rows may come.</summary>
        /// <remarks>Lazy. The <em>watermark</em> is the latest time that any row had, less the delay; it never goes back. What ended before it is final: append mode gives it
        /// then, its state is forgotten, and rows that come for it later are left out and counted (<see cref="StreamingProgress.LateRows"/>). Rows that are less late than
        /// the delay are never left out. In a frame that is no stream it does nothing.</remarks>
        /// <param name="column">A column of type timestamp or timestamp_ntz.</param>
        /// <param name="delay">Zero or more.</param>
        /// <exception cref="QueryException">There is no such column, or it holds no times.</exception>
        public DataFrame WithWatermark(string column, TimeSpan delay)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(column);
            ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
            var at = PositionOf(frame, "WithWatermark", column);
            if (frame.Schema[at].Type.Kind is not (TypeKind.Timestamp or TypeKind.TimestampNtz))
                throw new QueryException("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", $"The column '{frame.Schema[at]}' can't be the time of a stream's rows: cast it to timestamp first.");
            StreamingStrategy.AddTo(frame.Session);
            return new DataFrame(frame.Session, new Watermark(frame.Plan.Output[at], delay.Ticks / TimeSpan.TicksPerMicrosecond, frame.Plan), frame.Text);
        }
    }

    private static int PositionOf(DataFrame frame, string verb, string column) => frame.Schema.IndexOf(column) is >= 0 and var at
        ? at
        : throw new QueryException("UNRESOLVED_COLUMN", $"{verb} names '{column}', which the frame does not have. Its columns: {string.Join(", ", frame.Columns)}.");
}
