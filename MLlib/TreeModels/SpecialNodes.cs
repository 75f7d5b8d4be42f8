using System.Numerics;
using System.Runtime.Intrinsics;

namespace Dataflow.MLlib.TreeModels;

/// <summary>
/// Decides nodes of a crown that ask for categories or treat zero as missing, for the 64 rows of a block. Categories are turned into a word's number and a bit once
/// a block; a node then tests all rows' bits against the words of its set with vectors.
/// </summary>
internal sealed unsafe class SpecialNodes(CompiledTrees trees)
{
    // Larger sets are looked up row by row.
    private const int MostWords = 16;

    // By categorical feature: 64 numbers of words, then 64 bits in them; 0 where there is no category. In the lanes of the block's bits.
    private readonly ulong[] _columns = new ulong[trees.CategoricalPlaces.Length * 2 * RowBlocks.Rows];

    /// <summary>Looks at the categories of a block.</summary>
    public void Prepare<T>(T* block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        fixed (ulong* columns = _columns)
        {
            for (var i = 0; i < trees.CategoricalPlaces.Length; i++)
            {
                var x = block + (trees.CategoricalPlaces[i] * RowBlocks.Rows);
                if (typeof(T) == typeof(float)) Prepare(x, (uint*)(columns + (i * 2 * RowBlocks.Rows)));
                else Prepare(x, columns + (i * 2 * RowBlocks.Rows));
            }
        }
    }

    /// <summary>Clears the bits of exits that are left of where rows go, at all special nodes of the crown.</summary>
    public void Decide<T, TBits>(Crown crown, T* block, TBits* bits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        fixed (ulong* columns = _columns)
        {
            for (var i = 0; i < crown.Special.Length; i++)
            {
                ref readonly var node = ref trees.Nodes[crown.Special[i]];
                var place = (int)(node.FeatureAndKind >> 3);
                var x = block + (place * RowBlocks.Rows);
                var keep = TBits.CreateTruncating(crown.SpecialKeeps[i]) | ~TBits.CreateTruncating(uint.MaxValue);
                var kind = (NodeKind)(node.FeatureAndKind & 7);
                if (kind != NodeKind.Categorical)
                {
                    Zero(x, node.Threshold, kind, keep, bits);
                    continue;
                }
                var set = trees.Sets.AsSpan((int)node.Threshold);
                if (set[0] <= MostWords)
                {
                    InSet((TBits*)(columns + (trees.CategoryColumns[place] * 2 * RowBlocks.Rows)), set.Slice(1, (int)set[0]), keep, bits);
                    continue;
                }
                for (var r = 0; r < RowBlocks.Rows; r++)
                {
                    if (!CompiledTrees.InSet(double.CreateTruncating(x[r]), set)) bits[r] &= keep;
                }
            }
        }
    }

    private static void Prepare<T, TBits>(T* x, TBits* columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        for (var r = 0; r < RowBlocks.Rows; r++)
        {
            var value = double.CreateTruncating(x[r]);
            var has = value > -1 && value < 2147483648.0;
            var category = has ? (int)value : 0;
            columns[r] = TBits.CreateTruncating((uint)category >> 5);
            columns[RowBlocks.Rows + r] = has ? TBits.CreateTruncating(1u << (category & 31)) : TBits.Zero;
        }
    }

    private static void InSet<TBits>(TBits* columns, ReadOnlySpan<uint> words, TBits keep, TBits* bits)
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        var drop = Vector256.Create(~keep);
        for (var r = 0; r < RowBlocks.Rows; r += Vector256<TBits>.Count)
        {
            var number = Vector256.Load(columns + r);
            var word = Vector256<TBits>.Zero;
            for (var w = 0; w < words.Length; w++)
                word |= Vector256.Equals(number, Vector256.Create(TBits.CreateTruncating(w))) & Vector256.Create(TBits.CreateTruncating(words[w]));
            var outside = Vector256.Equals(word & Vector256.Load(columns + RowBlocks.Rows + r), Vector256<TBits>.Zero);
            Vector256.AndNot(Vector256.Load(bits + r), outside & drop).Store(bits + r);
        }
    }

    private static void Zero<T, TBits>(T* x, double threshold, NodeKind kind, TBits keep, TBits* bits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TBits : unmanaged, IBinaryInteger<TBits>
    {
        var bound = Vector256.Create(T.CreateTruncating(CompiledTrees.ZeroBound));
        var limit = Vector256.Create(T.CreateTruncating(typeof(T) == typeof(float) ? Crown.Narrow(threshold) : threshold));
        var drop = Vector256.Create(~keep);
        for (var r = 0; r < RowBlocks.Rows; r += Vector256<T>.Count)
        {
            var value = Vector256.Load(x + r);
            var right = kind == NodeKind.ZeroLeft
                ? Vector256.GreaterThan(value, limit) & Vector256.GreaterThan(Vector256.Abs(value), bound)
                : ~Vector256.LessThanOrEqual(value, limit) | Vector256.LessThanOrEqual(Vector256.Abs(value), bound);
            Vector256.AndNot(Vector256.Load(bits + r), right.As<T, TBits>() & drop).Store(bits + r);
        }
    }
}
