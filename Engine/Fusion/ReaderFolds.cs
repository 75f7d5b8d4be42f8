using System.Runtime.InteropServices;
using Dataflow.Serialization;
using Dataflow.Tasks;

namespace Dataflow.Fusion;

/// <summary>How actions use up a partition element by element: as the end of the same loop that makes the elements, where there is one.</summary>
internal static class ReaderFolds
{
    extension<T>(ChunkReader<T> reader)
    {
        /// <summary>Folds all elements into an accumulator.</summary>
        /// <param name="seed">The empty accumulator.</param>
        /// <param name="update">Adds an element and gives the accumulator back.</param>
        /// <param name="context">The running task.</param>
        public TAccumulate Fold<TAccumulate>(TAccumulate seed, Func<TAccumulate, T, TAccumulate> update, TaskContext context)
        {
            var any = false;
            reader.Run(new FoldSink<T, TAccumulate>(update), ref seed, ref any, context);
            return seed;
        }

        /// <summary>Merges all elements into one, the first with the second and so on.</summary>
        /// <param name="merge">Merges two elements; may change the first and give it back.</param>
        /// <param name="context">The running task.</param>
        /// <param name="result">The merged element.</param>
        /// <returns>False if there was no element.</returns>
        public bool TryReduce(Func<T, T, T> merge, TaskContext context, out T result)
        {
            var any = false;
            result = default!;
            if (!Mutability.MayChange<T>())
            {
                reader.Run(new ReduceSink<T>(merge), ref result, ref any, context);
                return any;
            }

            // Merging may change the first element, which others read again if it is kept: it works on a copy.
            while (reader.TryRead(out var chunk))
            {
                foreach (var item in chunk)
                {
                    result = any ? merge(result, item) : ElementCopy<T>.Of(item);
                    any = true;
                }
            }
            return any;
        }

        /// <summary>Calls an action on each element.</summary>
        /// <param name="action">What to do.</param>
        /// <param name="context">The running task.</param>
        public void ForEach(Action<T> action, TaskContext context)
        {
            var any = false;
            byte nothing = 0;
            reader.Run(new ForEachSink<T>(action), ref nothing, ref any, context);
        }

        /// <summary>Counts the elements.</summary>
        /// <param name="context">The running task.</param>
        public long CountElements(TaskContext context)
        {
            // Operators that make elements only to be counted need not write them anywhere. Elements that are there are not even looked at.
            var any = false;
            var count = 0L;
            if (reader is KernelReader<T>)
            {
                reader.Run(new CountSink<T>(), ref count, ref any, context);
                return count;
            }

            while (reader.TryRead(out var chunk)) count += chunk.Length;
            return count;
        }

        /// <summary>Uses up the reader with a sink.</summary>
        /// <param name="sink">What is done with the elements.</param>
        /// <param name="result">The sink's accumulator.</param>
        /// <param name="any">Whether a reduction has had an element yet.</param>
        /// <param name="context">The running task.</param>
        public void Run<TResult>(KernelSink<T, TResult> sink, ref TResult result, ref bool any, TaskContext context)
        {
            if (reader is KernelReader<T> { Begun: false } fused)
            {
                fused.Drain(sink, ref result, ref any);
                return;
            }

            // No operators to fuse with; a loop that calls the lambda's own method is still faster than one that calls any delegate.
            var plain = FusionSupport.Fuses(context) ? context.Services.Options.FusionWarmUp : long.MaxValue;
            while (plain > 0)
            {
                if (!reader.TryRead(out var chunk)) return;
                sink.Take(chunk, ref result, ref any);
                plain -= chunk.Length;
            }

            var (kernel, state) = KernelPlan.Empty.End<T, TResult>(sink);
            state.Any = any;
            while (reader.TryRead(out var chunk)) kernel(state, ref MemoryMarshal.GetReference(chunk), chunk.Length, ref result);
            any = state.Any;
        }
    }
}
