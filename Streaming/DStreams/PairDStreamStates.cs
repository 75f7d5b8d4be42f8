namespace Dataflow.Streaming.DStreams;

// Verbs over several intervals, and with state.
public static partial class PairDStream
{
    extension<TKey, TValue>(DStream<(TKey Key, TValue Value)> stream)
    {
        /// <summary>The values of each key in the last intervals.</summary>
        /// <param name="length">How long the window is: a multiple of what the stream slides by.</param>
        /// <param name="slide">How often there is a result: another multiple; null for that itself.</param>
        /// <param name="partitions">Of the result; 0 takes the default parallelism.</param>
        /// <exception cref="StreamingException"><c>WINDOW_OF_INTERVALS</c>: one of them is no multiple.</exception>
        public DStream<(TKey Key, IReadOnlyList<TValue> Value)> GroupByKeyAndWindow(TimeSpan length, TimeSpan? slide = null, int partitions = 0) => stream.Window(length, slide).GroupByKey(partitions);

        /// <summary>Merges the values of each key in the last intervals.</summary>
        /// <inheritdoc cref="GroupByKeyAndWindow"/>
        /// <param name="merge">Associative and commutative.</param>
        public DStream<(TKey Key, TValue Value)> ReduceByKeyAndWindow(Func<TValue, TValue, TValue> merge, TimeSpan length, TimeSpan? slide = null, int partitions = 0) =>
            stream.ReduceByKey(merge, partitions).Window(length, slide).ReduceByKey(merge, partitions);

        /// <summary>As <c>ReduceByKeyAndWindow(merge, ...)</c>, from the result before: merges what has come, and takes away what has left the window.</summary>
        /// <remarks>Takes time by what comes and goes and by how many keys there are, not by the length of the window. The result is state: it is written to the checkpoint. A key
        /// stays when nothing of it is left, unless <paramref name="keep"/> says no.</remarks>
        /// <inheritdoc cref="ReduceByKeyAndWindow{TKey, TValue}(DStream{ValueTuple{TKey, TValue}}, Func{TValue, TValue, TValue}, TimeSpan, TimeSpan?, int)"/>
        /// <param name="takeAway">Undoes a merge: <c>takeAway(merge(a, b), b)</c> is <c>a</c>.</param>
        /// <param name="keep">Which results stay; null for all.</param>
        public DStream<(TKey Key, TValue Value)> ReduceByKeyAndWindow(
            Func<TValue, TValue, TValue> merge, Func<TValue, TValue, TValue> takeAway, TimeSpan length, TimeSpan? slide = null, int partitions = 0, Func<(TKey Key, TValue Value), bool>? keep = null)
        {
            ArgumentNullException.ThrowIfNull(merge);
            ArgumentNullException.ThrowIfNull(takeAway);
            var by = slide ?? stream.SlideDuration;
            stream.Streaming.CheckWindow(stream, length, by);
            return new SlidingDStream<TKey, TValue>(stream.ReduceByKey(merge, partitions).Keeping(), merge, takeAway, keep, length, by, stream.Streaming.PartitionerOf<TKey>(partitions));
        }

        /// <summary>Keeps a value for each key, from its value before and what has come for it.</summary>
        /// <remarks>The function is called for all keys in each interval, also those for which nothing came: time by how many keys there are. <see cref="MapWithState"/> calls it for what came.</remarks>
        /// <param name="update">Gets what has come and the value before, if there is one; gives the next one, or none, which forgets the key.</param>
        /// <param name="partitions">Of the state; 0 takes the default parallelism.</param>
        /// <param name="initial">What keys begin with; null for nothing.</param>
        public DStream<(TKey Key, TState Value)> UpdateStateByKey<TState>(
            Func<IReadOnlyList<TValue>, Optional<TState>, Optional<TState>> update, int partitions = 0, Rdd<(TKey Key, TState Value)>? initial = null)
        {
            ArgumentNullException.ThrowIfNull(update);
            return new UpdatedDStream<TKey, TValue, TState>(stream, update, initial, stream.Streaming.PartitionerOf<TKey>(partitions));
        }

        /// <summary>Gives something for each pair, from the pair and the state of its key, which it may change.</summary>
        /// <remarks>The function is called for each pair that came, and once for a key that times out. Each interval reads all state: time by
        /// how many keys there are, with little for each for which nothing came.</remarks>
        /// <param name="spec">The function, and how long keys stay.</param>
        public MappedWithStateDStream<TKey, TState, TMapped> MapWithState<TState, TMapped>(StateSpec<TKey, TValue, TState, TMapped> spec)
        {
            ArgumentNullException.ThrowIfNull(spec);
            return new MappedWithStateDStream<TKey, TState, TMapped>(new StatefulDStream<TKey, TValue, TState, TMapped>(stream, spec, stream.Streaming.PartitionerOf<TKey>(spec.Partitions)));
        }
    }
}
