using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Dataflow.Serialization;

/// <summary>Where the fields of a struct without references lie in memory, and which of its bytes belong to none (padding).</summary>
/// <remarks>
/// The runtime tells neither for tuples, whose layout it chooses itself. So each field is painted in a boxed value whose bytes are zero,
/// and the bytes that changed are looked up. Works without dynamic code; some microseconds for each field, once for each type.
/// </remarks>
internal sealed class MemoryLayout
{
    private MemoryLayout(bool[] covered, string text)
    {
        Covered = covered;
        Text = text;
    }

    /// <summary>Which bytes hold data.</summary>
    public bool[] Covered { get; }

    /// <summary>Whether every byte holds data: then equal values have equal bytes.</summary>
    public bool IsDense => !Covered.Contains(false);

    /// <summary>Size and fields for the schema: <c>[16]{X:double@0, Y:double@8}</c>.</summary>
    public string Text { get; }

    /// <summary>The layout of a struct whose fields, recursively, hold no references.</summary>
    public static MemoryLayout Of(Type type)
    {
        var size = RuntimeHelpers.SizeOf(type.TypeHandle);
        if (type.IsEnum)
            return new MemoryLayout(All(size), $"({TypeNames.Of(type.GetEnumUnderlyingType())})");
        if (IsFixedBuffer(type))
            return new MemoryLayout(All(size), $"fixed {TypeNames.Of(TypeNames.FieldsOf(type)[0].FieldType)}[{size} bytes]");
        if (IsAtom(type))
            return new MemoryLayout(All(size), TypeNames.Of(type));

        var covered = new bool[size];
        var text = new StringBuilder($"[{size}]{{");
        var repeats = type.GetCustomAttribute<InlineArrayAttribute>()?.Length ?? 1;
        foreach (var field in TypeNames.FieldsOf(type))
        {
            var part = Of(field.FieldType);
            var offset = OffsetOf(field, part);
            for (var repeat = 0; repeat < repeats; repeat++, offset += part.Covered.Length)
                for (var i = 0; i < part.Covered.Length; i++) covered[offset + i] |= part.Covered[i];

            if (text[^1] != '{') text.Append(", ");
            text.Append(TypeNames.Of(field)).Append(':').Append(part.Text).Append('@').Append(offset - repeats * part.Covered.Length);
        }
        if (repeats > 1) text.Append('*').Append(repeats);
        return new MemoryLayout(covered, text.Append('}').ToString());
    }

    /// <summary>Types that are data through and through, whatever their private fields are called.</summary>
    public static bool IsAtom(Type type) =>
        type.IsPrimitive || type == typeof(Guid) || type == typeof(Half) || type == typeof(Int128) || type == typeof(UInt128)
        || type == typeof(TimeSpan) || type == typeof(decimal) || type == typeof(DateTime) || type == typeof(DateOnly)
        || type == typeof(TimeOnly);

    /// <summary>
    /// Whether this is the type that the compiler makes for <c>fixed int data[8]</c>: its one field stands for the whole.
    /// </summary>
    public static bool IsFixedBuffer(Type type) =>
        type.IsDefined(typeof(UnsafeValueTypeAttribute), inherit: false) && type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    private static int OffsetOf(FieldInfo field, MemoryLayout part)
    {
        // An empty struct covers nothing; where it lies does not matter.
        var mark = Array.IndexOf(part.Covered, true);
        if (mark < 0)
            return 0;

        var value = RuntimeHelpers.GetUninitializedObject(field.FieldType);
        Bytes(value, part.Covered.Length)[mark] = 1;
        var holder = RuntimeHelpers.GetUninitializedObject(field.DeclaringType!);
        field.SetValue(holder, value);
        return Bytes(holder, RuntimeHelpers.SizeOf(field.DeclaringType!.TypeHandle)).IndexOfAnyExcept((byte)0) - mark;
    }

    private static bool[] All(int size)
    {
        var all = new bool[size];
        Array.Fill(all, true);
        return all;
    }

    // The memory of a boxed value begins where the first field of any object does.
    private static Span<byte> Bytes(object boxed, int size) => MemoryMarshal.CreateSpan(ref Unsafe.As<FirstField>(boxed).Value, size);

    private sealed class FirstField
    {
        public byte Value;
    }
}
