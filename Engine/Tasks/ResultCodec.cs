using Dataflow.Serialization;

namespace Dataflow.Tasks;

/// <summary>Brings the results of a job's tasks back to the driver: both sides use the codec of the type that the driver's program expects.</summary>
/// <remarks>Travels to executors with the code of the stage; the driver reads with its own. What an executor sends never says of which type it
/// is.</remarks>
internal abstract class ResultCodec
{
    /// <summary>Type of one partition's result.</summary>
    public abstract Type Type { get; }

    /// <exception cref="CodecException">The result can't be encoded.</exception>
    public abstract void Write(BlockWriter writer, object? result);

    /// <exception cref="CorruptDataException">The bytes can't be such a result.</exception>
    public abstract object Read(ref BlockReader reader);
}

/// <inheritdoc/>
internal sealed class ResultCodec<TResult> : ResultCodec
{
    public static ResultCodec<TResult> Instance { get; } = new();

    public override Type Type => typeof(TResult);

    public override void Write(BlockWriter writer, object? result)
    {
        var sized = (SizedResult<TResult>)result!;
        writer.WriteUnmanaged(sized.Bytes);
        Codec<TResult>.Default.Write(writer, [sized.Value]);
    }

    public override object Read(ref BlockReader reader)
    {
        var bytes = reader.ReadUnmanaged<long>();
        var value = new TResult[1];
        Codec<TResult>.Default.Read(ref reader, value);
        return new SizedResult<TResult>(value[0], bytes);
    }
}
