using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dataflow.Sql.Columns;
using Dataflow.Storage;

namespace Dataflow.Sql.Kernels;

/// <summary>Gives vectors of any form as flat ones. Owns memory for one at a time.</summary>
public sealed unsafe class Flattener(TaskArena arena)
{
    /// <summary>As many bits as a register holds.</summary>
    internal const int ShortTable = 512;

    private NativeBuffer? _data;
    private ulong* _validity;
    private int _capacity;
    private ColumnVector? _vector;

    /// <summary>The same rows, flat: the vector itself if it is, else a copy of the values (of views, not of bytes) that is valid until the next call.</summary>
    /// <param name="vector">A vector without children.</param>
    public ColumnVector Flat(ColumnVector vector)
    {
        if (vector.Form == VectorForm.Flat) return vector;
        var rows = vector.Length;
        var isBit = vector.Type.Physical == PhysicalType.Bit;
        var data = Room(isBit ? Bits.Words(rows) * 8 : rows * vector.Type.ByteWidth);
        if (_vector is null || _vector.Type != vector.Type) _vector = new ColumnVector(vector.Type);
        _vector.Length = rows;
        _vector.Data = data;
        _vector.Validity = vector.Validity;
        _vector.Bounds = vector.Bounds ?? (vector.Form == VectorForm.Dictionary ? vector.Dictionary!.Values.Bounds : null);
        if (vector.Form == VectorForm.Constant)
        {
            if (vector.IsNullConstant)
            {
                if (_validity == null) _validity = (ulong*)arena.Rent(ColumnBatch.MaxRows / 8).Pointer;
                Bits.Zero(_validity, rows);
                _vector.Validity = _validity;
            }
            else
            {
                _vector.Validity = null;
            }
            if (isBit) new Span<ulong>(data, Bits.Words(rows)).Fill((*vector.Data & 1) != 0 ? ulong.MaxValue : 0);
            else Repeat(vector.Data, vector.Type.ByteWidth, data, rows);
            return _vector;
        }
        var values = vector.Dictionary!.Values.Data;
        if (isBit) GatherBits((ulong*)values, int.MaxValue, vector.Codes, (ulong*)data, rows);
        else Gather(values, vector.Type.ByteWidth, vector.Codes, data, rows);
        return _vector;
    }

    /// <summary>Copies values that codes name.</summary>
    internal static void Gather(byte* values, int width, uint* codes, byte* to, int rows)
    {
        switch (width)
        {
            case 1: Gather(values, codes, to, rows); break;
            case 2: Gather((short*)values, codes, (short*)to, rows); break;
            case 4: Gather((int*)values, codes, (int*)to, rows); break;
            case 8: Gather((long*)values, codes, (long*)to, rows); break;
            case 16: Gather((Int128*)values, codes, (Int128*)to, rows); break;
            default: throw new InvalidOperationException($"Values of {width} bytes can't be gathered. Please report this.");
        }
    }

    /// <summary>Looks bits up by code.</summary>
    /// <param name="values">A bit for each code, and room up to <see cref="ShortTable"/> of them that may be read.</param>
    /// <param name="count">How many codes there are.</param>
    /// <param name="codes">A code a row.</param>
    /// <param name="to">A bit a row.</param>
    /// <param name="rows">Rows.</param>
    internal static void GatherBits(ulong* values, int count, uint* codes, ulong* to, int rows)
    {
        if (count <= ShortTable && Avx512F.IsSupported)
        {
            ByPermutation((uint*)values, codes, to, rows);
            return;
        }
        for (var word = 0; word < Bits.Words(rows); word++)
        {
            var first = word << 6;
            var last = Math.Min(64, rows - first);
            var bits = 0UL;
            for (var i = 0; i < last; i++)
            {
                var code = codes[first + i];
                bits |= (values[code >> 6] >> (int)(code & 63) & 1) << i;
            }
            to[word] = bits;
        }
    }

    // All bits in one register: its words are picked by the upper bits of codes, the bit in a word by the lower five.
    private static void ByPermutation(uint* table, uint* codes, ulong* to, int rows)
    {
        var words = Vector512.Load(table);
        for (var first = 0; first < rows; first += 64)
        {
            var bits = 0UL;
            var last = Math.Min(64, rows - first);
            for (var i = 0; i < last; i += 16)
            {
                var code = Vector512.Load(codes + first + i);
                var picked = Avx512F.PermuteVar16x32(words, Vector512.ShiftRightLogical(code, 5));
                var moved = Avx512F.ShiftRightLogicalVariable(picked, code & Vector512.Create(31u));
                bits |= Vector512.ShiftLeft(moved, 31).ExtractMostSignificantBits() << i;
            }
            to[first >> 6] = bits;
        }
    }

    private static void Gather<T>(T* values, uint* codes, T* to, int rows) where T : unmanaged
    {
        for (var i = 0; i < rows; i++) to[i] = values[codes[i]];
    }

    private static void Repeat(byte* value, int width, byte* to, int rows)
    {
        switch (width)
        {
            case 1: new Span<byte>(to, rows).Fill(*value); break;
            case 2: new Span<short>(to, rows).Fill(*(short*)value); break;
            case 4: new Span<int>(to, rows).Fill(*(int*)value); break;
            case 8: new Span<long>(to, rows).Fill(*(long*)value); break;
            case 16: new Span<Int128>(to, rows).Fill(*(Int128*)value); break;
            default: throw new InvalidOperationException($"Values of {width} bytes can't be repeated. Please report this.");
        }
    }

    private byte* Room(int bytes)
    {
        if (_data is null || _capacity < bytes)
        {
            if (_data is not null) arena.Return(_data);
            _data = arena.Rent(bytes);
            _capacity = bytes;
        }
        return _data.Pointer;
    }
}
