using Dataflow.Sql.Columns;
using Dataflow.Sql.Sources;

namespace Dataflow.Sql.Joins;

/// <summary>Leaves out rows of a scan that a join further on will not match. It watches itself: one that leaves out few rows stops looking.</summary>
/// <param name="tableField">The field of the table.</param>
/// <param name="values">The values that match.</param>
internal sealed unsafe class JoinFilter(int tableField, KeySet values) : IDynamicFilter
{
    // After so many rows it is worth its while, or is not.
    private const long Trial = 64 << 10;
    private const double MostKept = 0.85;

    private readonly ulong[] _bits = new ulong[ColumnBatch.MaxRows / 64];
    private ulong[] _known = [];
    private ColumnDictionary? _dictionary;
    private long _looked;
    private long _kept;
    private bool _isIdle;

    public int Field => tableField;

    public ValueBounds? Bounds => values.Bounds;

    public void Apply(ColumnVector vector, int rows, ulong* mask)
    {
        if (_isIdle) return;
        fixed (ulong* bits = _bits)
        {
            if (vector.Form == VectorForm.Flat) values.Test(vector, rows, bits);
            else if (vector.Form == VectorForm.Constant) TestConstant(vector, rows, bits);
            else if (!TryDictionary(vector, rows, bits)) return;
            var before = 0;
            var after = 0;
            for (var i = 0; i < (rows + 63) >> 6; i++)
            {
                before += System.Numerics.BitOperations.PopCount(mask[i]);
                mask[i] &= bits[i];
                after += System.Numerics.BitOperations.PopCount(mask[i]);
            }
            _looked += before;
            _kept += after;
        }
        if (_looked < Trial) return;
        _isIdle = _kept > _looked * MostKept;
        _looked = 0;
        _kept = 0;
    }

    private void TestConstant(ColumnVector vector, int rows, ulong* bits)
    {
        var one = new ColumnVector(vector.Type);
        one.Share(vector);
        one.Form = VectorForm.Flat;
        var bit = 0UL;
        values.Test(one, 1, &bit);
        new Span<ulong>(bits, (rows + 63) >> 6).Fill((bit & 1) != 0 ? ulong.MaxValue : 0);
    }

    // Each entry of the dictionary is looked up once.
    private bool TryDictionary(ColumnVector vector, int rows, ulong* bits)
    {
        var dictionary = vector.Dictionary!;
        if (!ReferenceEquals(_dictionary, dictionary))
        {
            if (dictionary.Values.Form != VectorForm.Flat || dictionary.Count is 0 or > 1 << 20) return false;
            _known = new ulong[(dictionary.Count + 63) >> 6];
            var part = new ColumnVector(vector.Type);
            fixed (ulong* known = _known)
            {
                for (var first = 0; first < dictionary.Count; first += ColumnBatch.MaxRows)
                {
                    part.Share(dictionary.Values);
                    part.Length = Math.Min(ColumnBatch.MaxRows, dictionary.Count - first);
                    part.Data += (nint)first * vector.Type.ByteWidth;
                    if (part.Validity != null) part.Validity += first >> 6;
                    values.Test(part, part.Length, known + (first >> 6));
                }
            }
            _dictionary = dictionary;
        }
        var codes = vector.Codes;
        for (var word = 0; word << 6 < rows; word++)
        {
            var found = 0UL;
            var first = word << 6;
            var count = Math.Min(64, rows - first);
            for (var i = 0; i < count; i++)
            {
                // A null may have any code.
                var code = vector.Validity == null || !vector.IsNull(first + i) ? codes[first + i] : 0;
                found |= (_known[code >> 6] >> (int)(code & 63) & 1) << i;
            }
            bits[word] = vector.Validity == null ? found : found & vector.Validity[word];
        }
        return true;
    }
}
