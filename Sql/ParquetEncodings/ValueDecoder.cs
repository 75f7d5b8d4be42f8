namespace Dataflow.Sql.ParquetEncodings;

/// <summary>Turns the bytes of a page into stored values, some at a time. One kind for each encoding; each begins a new page with <see cref="Start"/>.</summary>
/// <remarks>Values are those that are not null, dense. Numbers come as they are stored, bits as a bitmap from its first bit on, bytes of any length
/// as views into the page or into memory that stays until the next batch.</remarks>
internal abstract unsafe class ValueDecoder
{
    /// <summary>Begins a page.</summary>
    /// <param name="at">Its first value.</param>
    /// <param name="end">Past its last byte; the slack of buffers follows.</param>
    /// <param name="most">Values that it has, nulls included.</param>
    public abstract void Start(byte* at, byte* end, int most);

    /// <summary>Reads the next values.</summary>
    /// <exception cref="CorruptDataException">There are fewer.</exception>
    public abstract void Read(byte* to, int count);

    /// <summary>Passes over values.</summary>
    public abstract void Skip(int count);

    /// <summary>Where the next values lie as they are, and passes over them; null if they lie nowhere.</summary>
    public virtual byte* Lend(int count) => null;

    /// <summary>A batch begins: memory behind views of the last one may be used again.</summary>
    public virtual void NextBatch() { }

    /// <summary>The error of a page that has fewer values than it should.</summary>
    protected static CorruptDataException Ended() => new("parquet", 0, "a page ends before its values do");
}
