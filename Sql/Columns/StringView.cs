using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Dataflow.Sql.Columns;

/// <summary>
/// Text or bytes in a vector: length, the first four bytes, and the rest in place (up to 12 bytes in all) or a pointer. Unused bytes of short ones
/// are zero, so two short views are equal if their 16 bytes are.
/// </summary>
/// <remarks>The bytes belong to whoever lent the batch; they are valid as long as it is.</remarks>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public unsafe struct StringView
{
    /// <summary>Most bytes that lie in the view itself.</summary>
    public const int MaxInline = 12;

    /// <summary>Length in bytes.</summary>
    [FieldOffset(0)]
    public int Length;

    /// <summary>The first four bytes, zeros after the end.</summary>
    [FieldOffset(4)]
    public uint Prefix;

    /// <summary>Where the bytes are, if there are more than <see cref="MaxInline"/>.</summary>
    [FieldOffset(8)]
    public byte* Pointer;

    [FieldOffset(0)]
    private ulong _low;

    [FieldOffset(8)]
    private ulong _high;

    /// <summary>A view of bytes, which are copied if they are few and pointed at else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static StringView Of(byte* bytes, int length)
    {
        StringView view = default;
        view.Length = length;
        if (length > MaxInline)
        {
            view.Prefix = Unsafe.ReadUnaligned<uint>(bytes);
            view.Pointer = bytes;
            return view;
        }
        Unsafe.CopyBlockUnaligned((byte*)&view + 4, bytes, (uint)length);
        return view;
    }

    /// <summary>Whether the bytes lie in the view itself.</summary>
    public readonly bool IsInline => Length <= MaxInline;

    /// <summary>The bytes of a view that lies in a vector. The view must not be a copy on the stack that ends before the span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> BytesOf(StringView* view) => new(PointerOf(view), view->Length);

    /// <summary>Where the bytes of a view that lies in a vector are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* PointerOf(StringView* view) => view->Length <= MaxInline ? (byte*)view + 4 : view->Pointer;

    /// <summary>Whether two views hold the same bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(StringView* left, StringView* right)
    {
        // Length and prefix at once.
        if (left->_low != right->_low) return false;
        return left->Length <= MaxInline
            ? left->_high == right->_high
            : new ReadOnlySpan<byte>(left->Pointer, left->Length).SequenceEqual(new ReadOnlySpan<byte>(right->Pointer, right->Length));
    }

    /// <summary>Compares byte by byte, which is the order of code points for UTF-8.</summary>
    public static int Compare(StringView* left, StringView* right) => BytesOf(left).SequenceCompareTo(BytesOf(right));

    /// <summary>The text of a view that lies in a vector.</summary>
    public static string TextOf(StringView* view) => Encoding.UTF8.GetString(BytesOf(view));
}
