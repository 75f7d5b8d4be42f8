using System.Buffers;
using System.Text;
using Dataflow.Sql.Columns;
using Dataflow.Sql.Kernels;

namespace Dataflow.Sql.Records;

/// <summary>Writes values of .NET into vectors. One a column and task.</summary>
/// <typeparam name="V">The type of the values.</typeparam>
internal abstract unsafe class ValueWriter<V>
{
    /// <summary>The writer of a type that <see cref="ClrTypes"/> knows.</summary>
    public static ValueWriter<V> Make()
    {
        var plain = Nullable.GetUnderlyingType(typeof(V));
        if (plain is not null) return (ValueWriter<V>)Activator.CreateInstance(typeof(NullableWriter<>).MakeGenericType(plain))!;
        object writer = typeof(V) switch
        {
            var type when type == typeof(bool) => new BooleanWriter(),
            var type when type == typeof(sbyte) => new SameWriter<sbyte>(),
            var type when type == typeof(short) => new SameWriter<short>(),
            var type when type == typeof(int) => new SameWriter<int>(),
            var type when type == typeof(long) => new SameWriter<long>(),
            var type when type == typeof(float) => new SameWriter<float>(),
            var type when type == typeof(double) => new SameWriter<double>(),
            var type when type == typeof(byte) => new OtherWriter<byte, short>(static value => value),
            var type when type == typeof(ushort) => new OtherWriter<ushort, int>(static value => value),
            var type when type == typeof(uint) => new OtherWriter<uint, long>(static value => value),
            var type when type == typeof(ulong) => new OtherWriter<ulong, Int128>(static value => value),
            var type when type == typeof(decimal) => new OtherWriter<decimal, Int128>(Unscaled),
            var type when type == typeof(DateOnly) => new OtherWriter<DateOnly, int>(static value => value.DayNumber - 719162),
            var type when type == typeof(DateTime) => new OtherWriter<DateTime, long>(static value => Micros(value.Ticks - DateTime.UnixEpoch.Ticks)),
            var type when type == typeof(DateTimeOffset) => new OtherWriter<DateTimeOffset, long>(static value => Micros(value.UtcTicks - DateTime.UnixEpoch.Ticks)),
            var type when type == typeof(TimeSpan) => new OtherWriter<TimeSpan, long>(static value => Micros(value.Ticks)),
            var type when type == typeof(string) => new TextWriter<string>(static value => value),
            var type when type == typeof(char) => new TextWriter<char>(static value => value.ToString()),
            var type when type == typeof(Guid) => new TextWriter<Guid>(static value => value.ToString()),
            var type when type == typeof(byte[]) => new BytesWriter(),
            var type when type == typeof(Vector) => new VectorWriter(),
            var type when type.IsEnum => Activator.CreateInstance(typeof(EnumWriter<>).MakeGenericType(type))!,
            var type => throw new InvalidOperationException($"There is no SQL type for {type}. This is a mistake in Dataflow: please report it."),
        };
        return (ValueWriter<V>)writer;
    }

    /// <summary>Writes values into rows.</summary>
    /// <param name="values">The values.</param>
    /// <param name="start">The row of the first.</param>
    /// <param name="data">The vector's data.</param>
    /// <param name="heap">Where text goes.</param>
    /// <param name="setNull">Called for each row that is null.</param>
    public abstract void Write(ReadOnlySpan<V> values, int start, byte* data, TextHeap heap, Action<int> setNull);

    internal static long Micros(long ticks) => (ticks / 10) - (ticks % 10 < 0 ? 1 : 0);

    // decimal(38,18): twenty digits before the point.
    private static Int128 Unscaled(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var unscaled = (Int128)(((UInt128)(uint)bits[2] << 64) | ((UInt128)(uint)bits[1] << 32) | (uint)bits[0]);
        var scale = (bits[3] >> 16) & 0xFF;
        if (bits[3] < 0) unscaled = -unscaled;
        if (scale > 18)
        {
            var divisor = PowersOfTen.Of(scale - 18);
            var rest = Int128.Abs(unscaled % divisor);
            unscaled = (unscaled / divisor) + (rest * 2 >= divisor ? Int128.Sign(unscaled) : 0);
            scale = 18;
        }
        var limit = PowersOfTen.Of(38 - (18 - scale));
        if (unscaled >= limit || unscaled <= -limit)
            throw new QueryException("NUMERIC_VALUE_OUT_OF_RANGE", $"{value} has more than 20 digits before the point, which a decimal(38,18) has no room for. Keep it as text or double.");
        return unscaled * PowersOfTen.Of(18 - scale);
    }
}

internal sealed unsafe class SameWriter<V> : ValueWriter<V> where V : unmanaged
{
    public override void Write(ReadOnlySpan<V> values, int start, byte* data, TextHeap heap, Action<int> setNull) =>
        values.CopyTo(new Span<V>((V*)data + start, values.Length));
}

internal sealed unsafe class OtherWriter<V, P>(Func<V, P> convert) : ValueWriter<V> where P : unmanaged
{
    public override void Write(ReadOnlySpan<V> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        var to = (P*)data + start;
        for (var i = 0; i < values.Length; i++) to[i] = convert(values[i]);
    }
}

internal sealed unsafe class BooleanWriter : ValueWriter<bool>
{
    public override void Write(ReadOnlySpan<bool> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i]) Bits.Set((ulong*)data, start + i);
            else Bits.Clear((ulong*)data, start + i);
        }
    }
}

internal sealed unsafe class TextWriter<V>(Func<V, string?> convert) : ValueWriter<V>
{
    // Literals of a program come again and again as the same objects: their bytes are written once a batch.
    private const int Known = 4;
    private readonly string?[] _known = new string?[Known];
    private readonly StringView[] _views = new StringView[Known];

    public override void Write(ReadOnlySpan<V> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        Array.Clear(_known);
        var known = _known;
        var next = 0;
        var views = (StringView*)data + start;
        for (var i = 0; i < values.Length; i++)
        {
            if (convert(values[i]) is not { } text)
            {
                views[i] = default;
                setNull(start + i);
                continue;
            }
            var place = ReferenceEquals(known[0], text) ? 0 : ReferenceEquals(known[1], text) ? 1 : ReferenceEquals(known[2], text) ? 2 : ReferenceEquals(known[3], text) ? 3 : -1;
            if (place >= 0)
            {
                views[i] = _views[place];
                continue;
            }
            views[i] = _views[next] = ViewOf(text, heap);
            known[next] = text;
            next = (next + 1) & (Known - 1);
        }
    }

    private static StringView ViewOf(string text, TextHeap heap)
    {
        if (text.Length <= StringView.MaxInline)
        {
            var small = stackalloc byte[StringView.MaxInline * 3];
            var length = Encoding.UTF8.GetBytes(text, new Span<byte>(small, StringView.MaxInline * 3));
            if (length <= StringView.MaxInline) return StringView.Of(small, length);
        }
        // Most text is ASCII, whose length is known before.
        var bytes = heap.Allocate(text.Length);
        if (Ascii.FromUtf16(text, new Span<byte>(bytes, text.Length), out _) == OperationStatus.Done) return StringView.Of(bytes, text.Length);
        var room = Encoding.UTF8.GetByteCount(text);
        bytes = heap.Allocate(room);
        return StringView.Of(bytes, Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, room)));
    }
}

internal sealed unsafe class EnumWriter<V> : ValueWriter<V> where V : struct, Enum
{
    private readonly Dictionary<V, byte[]> _names = [];

    public override void Write(ReadOnlySpan<V> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        var views = (StringView*)data + start;
        for (var i = 0; i < values.Length; i++)
        {
            if (!_names.TryGetValue(values[i], out var name)) _names.Add(values[i], name = Encoding.UTF8.GetBytes(values[i].ToString()));
            views[i] = heap.Add(name);
        }
    }
}

internal sealed unsafe class BytesWriter : ValueWriter<byte[]?>
{
    public override void Write(ReadOnlySpan<byte[]?> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        var views = (StringView*)data + start;
        for (var i = 0; i < values.Length; i++)
        {
            views[i] = values[i] is { } bytes ? heap.Add(bytes) : default;
            if (values[i] is null) setNull(start + i);
        }
    }
}

internal sealed unsafe class VectorWriter : ValueWriter<Vector?>
{
    public override void Write(ReadOnlySpan<Vector?> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        var views = (StringView*)data + start;
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is not { } vector)
            {
                views[i] = default;
                setNull(start + i);
                continue;
            }
            var bytes = heap.Allocate(vector.EncodedLength);
            vector.Encode(new Span<byte>(bytes, vector.EncodedLength));
            views[i] = StringView.Of(bytes, vector.EncodedLength);
        }
    }
}

internal sealed unsafe class NullableWriter<V> : ValueWriter<V?> where V : struct
{
    private readonly ValueWriter<V> _writer = ValueWriter<V>.Make();
    private readonly V[] _values = new V[ColumnBatch.MaxRows];

    public override void Write(ReadOnlySpan<V?> values, int start, byte* data, TextHeap heap, Action<int> setNull)
    {
        for (var i = 0; i < values.Length; i++)
        {
            _values[i] = values[i].GetValueOrDefault();
            if (!values[i].HasValue) setNull(start + i);
        }
        _writer.Write(_values.AsSpan(0, values.Length), start, data, heap, setNull);
    }
}
