using System.Runtime.CompilerServices;
using Dataflow.Caching;
using Dataflow.Tasks;

namespace Dataflow;

/// <summary>Gathers what a task sends to the driver, and refuses it before memory is gone.</summary>
internal static class ResultLimit
{
    public static T[] Collect<T>(ChunkReader<T> reader, TaskContext context) => Take(reader, context, int.MaxValue);

    public static T[] Take<T>(ChunkReader<T> reader, TaskContext context, int wanted)
    {
        var limit = context.Services.Options.MaxResultBytes;
        var sizes = new SizeEstimator<T>();
        var parts = new List<T[]>();
        var count = 0;
        var bytes = 0L;
        while (count < wanted && reader.TryRead(out var chunk))
        {
            if (chunk.Length > wanted - count) chunk = chunk[..(wanted - count)];
            bytes += (long)chunk.Length * Unsafe.SizeOf<T>() + sizes.ReferencedBytes(chunk);
            if (bytes > limit) throw TooLarge(context, $"about {bytes:N0} after {count + chunk.Length:N0} elements");
            count = checked(count + chunk.Length);
            parts.Add(chunk.ToArray());
        }
        context.Metrics.ResultBytes = bytes;
        if (parts.Count == 1) return parts[0];
        var result = new T[count];
        var next = 0;
        foreach (var part in parts)
        {
            part.CopyTo(result, next);
            next += part.Length;
        }
        return result;
    }

    /// <summary>Lets pass what a task made for the driver, unless it is too large.</summary>
    public static T Checked<T>(T result, TaskContext context)
    {
        var bytes = Unsafe.SizeOf<T>() + new SizeEstimator<T>().ReferencedBytes([result]);
        if (bytes > context.Services.Options.MaxResultBytes) throw TooLarge(context, $"about {bytes:N0}");
        context.Metrics.ResultBytes = bytes;
        return result;
    }

    private static ResultTooLargeException TooLarge(TaskContext context, string size) => new(
        $"The result of partition {context.PartitionIndex} is larger than {context.Services.Options.MaxResultBytes:N0} bytes: {size}. "
        + "Write it with SaveAsText or SaveAsObjects, read it bit by bit with ToEnumerable, take less, or raise DataflowOptions.MaxResultBytes.");
}
