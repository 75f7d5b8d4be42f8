using Dataflow.Sql.Columns;
using Dataflow.Sql.Exchange;
using Dataflow.Sql.Joins;
using Dataflow.Sql.Rows;
using Dataflow.TestKit;

namespace Dataflow.Sql.Tests.Joins;

/// <summary>Rows of a build side are found by key: all of them, in their order, whatever the kind of the keys and however many threads made the table.</summary>
public sealed unsafe class JoinTableTests : IDisposable
{
    private readonly LoneTask _task = new();
    private readonly TaskArena _arena;
    private readonly Random _random = new(20260);

    public JoinTableTests() => _arena = new TaskArena(_task.Context, "test");

    public void Dispose() => _task.Dispose();

    /// <summary>Kinds of keys: types, how many values differ, how far they lie apart.</summary>
    public static TheoryData<string, int, long> Kinds => new()
    {
        { "int", 50_000, 1 },
        { "int", 1_000_000_000, 1 },
        { "bigint", 300, 1 },
        { "bigint", 40_000, 1_000_000_007 },
        { "smallint", 2_000, 1 },
        { "int int", 300, 1 },
        { "bigint bigint", 5_000, 1_000_003 },
        { "string", 20_000, 1 },
        { "string int", 500, 1 },
        { "bigint bigint bigint", 40, long.MaxValue / 100 },
        { "double", 5_000, 1 },
        { "boolean", 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void All_rows_of_a_key_are_found_in_their_order(string kind, int distinct, long step)
    {
        var types = kind.Split(' ').Select(TypeOf).ToArray();
        foreach (var rows in new[] { 0, 1, 5_000, 70_000 })
        {
            var keys = Rows(types, rows, distinct, step, nulls: rows == 5_000);
            using var table = Make(types, keys, parts: 4, strict: [.. Enumerable.Range(0, types.Length)]);
            var expected = new Dictionary<string, List<int>>();
            for (var row = 0; row < rows; row++)
            {
                if (keys[row].Contains(null)) continue;
                var text = string.Join('|', keys[row]);
                if (!expected.TryGetValue(text, out var list)) expected.Add(text, list = []);
                list.Add(row);
            }
            Assert.Equal(rows, table.Seen);
            Assert.Equal(keys.Any(key => key.Contains(null)), table.HasNullKey);
            Assert.Equal(expected.Values.All(list => list.Count == 1), table.IsUnique);

            var probes = Rows(types, 2_000, distinct, step, nulls: false);
            for (var i = 0; i < Math.Min(rows, 1_000); i++) probes[i] = keys[_random.Next(rows)];
            probes = [.. probes.Where(key => !key.Contains(null))];
            var found = Find(table, types, probes);
            for (var i = 0; i < probes.Length; i++)
            {
                var chain = new List<int>();
                for (var row = found[i]; row >= 0; row = table.NextOf(row)) chain.Add(NumberOf(table, row));
                Assert.Equal(expected.GetValueOrDefault(string.Join('|', probes[i])) ?? [], chain);
            }
        }
    }

    [Fact]
    public void Nulls_of_keys_that_are_compared_null_safe_are_equal_to_each_other()
    {
        DataType[] types = [DataType.Int, DataType.String];
        object?[][] rows = [[1, "a"], [null, "a"], [1, null], [null, "a"], [null, null]];
        using var table = Make(types, rows, parts: 1, strict: [1]);
        Assert.True(table.HasNullKey);
        var found = Find(table, types, [[null, "a"], [1, "a"], [2, "a"]]);
        Assert.Equal(1, found[0]);
        Assert.Equal(3, table.NextOf(1));
        Assert.Equal(-1, table.NextOf(3));
        Assert.Equal(0, found[1]);
        Assert.Equal(-1, found[2]);
    }

    [Fact]
    public void Without_keys_every_row_is_found()
    {
        var rows = Rows([DataType.Int], 20_000, 100, 1, nulls: true);
        using var table = Make([DataType.Int], rows, parts: 4, strict: [], keys: []);
        var found = Find(table, [], [[]]);
        var count = 0;
        for (var row = found[0]; row >= 0; row = table.NextOf(row)) Assert.Equal(count++, NumberOf(table, row));
        Assert.Equal(rows.Length, count);
        using var empty = Make([DataType.Int], [], parts: 4, strict: [], keys: []);
        Assert.Equal(-1, Find(empty, [], [[]])[0]);
    }

    [Fact]
    public void Threads_that_build_together_make_the_same_table()
    {
        DataType[] types = [DataType.BigInt];
        var rows = Rows(types, 200_000, 50_000, 1_000_003, nulls: false);
        using var alone = Make(types, rows, parts: 4, strict: [0]);
        using var together = Make(types, rows, parts: 4, strict: [0], threads: 4);
        var probes = rows.Take(5_000).ToArray();
        var one = Find(alone, types, probes);
        var other = Find(together, types, probes);
        Assert.Equal(one, other);
        foreach (var first in one)
        {
            for (var row = first; row >= 0; row = alone.NextOf(row)) Assert.Equal(alone.NextOf(row), together.NextOf(row));
        }
    }

    [Fact]
    public void What_a_key_set_does_not_have_it_leaves_out_and_what_it_has_it_keeps()
    {
        foreach (var (kind, step, mostWrong) in new[] { ("int", 1L, 0.0), ("bigint", 1_000_000_007L, 0.05), ("string", 1L, 0.05), ("smallint", 1L, 0.0) })
        {
            DataType[] types = [TypeOf(kind)];
            var rows = Rows(types, 20_000, 10_000, step, nulls: true);
            using var table = Make(types, rows, parts: 2, strict: [0], filtered: [0]);
            var set = table.SetOf(0)!;
            var have = rows.Select(key => key[0]).ToHashSet();
            var probes = Rows(types, 8_000, 20_000, step, nulls: true);
            var filter = new JoinFilter(3, set);
            Assert.Equal(3, filter.Field);
            var mask = new ulong[ColumnBatch.MaxRows / 64];
            mask.AsSpan().Fill(ulong.MaxValue);
            fixed (ulong* bits = mask) filter.Apply(Vectors(types, probes)[0], probes.Length, bits);
            var wrong = 0;
            for (var i = 0; i < probes.Length; i++)
            {
                var isKept = (mask[i >> 6] >> (i & 63) & 1) != 0;
                if (probes[i][0] is null) Assert.False(isKept);
                else if (have.Contains(probes[i][0])) Assert.True(isKept);
                else if (isKept) wrong++;
            }
            Assert.True(wrong <= probes.Length * mostWrong, $"{kind}: {wrong} values that are not there were kept");
            if (set.Bounds is not { } bounds) continue;
            Assert.All(have.Where(value => value is not null), value => Assert.InRange((Int128)Convert.ToInt64(value, null), bounds.Min, bounds.Max));
        }
    }

    [Fact]
    public void A_filter_looks_up_codes_and_constants_and_rests_when_it_leaves_nothing_out()
    {
        DataType[] types = [DataType.String];
        using var table = Make(types, [["a"], ["b"]], parts: 1, strict: [0], filtered: [0]);
        var filter = new JoinFilter(0, table.SetOf(0)!);
        var entries = Vectors(types, [["x"], ["b"], ["a"], ["y"]])[0];
        uint[] codes = [0, 1, 2, 3, 1];
        var mask = ulong.MaxValue;
        fixed (uint* pointer = codes)
        {
            var coded = new ColumnVector(DataType.String) { Form = VectorForm.Dictionary, Length = 5, Codes = pointer, Dictionary = new ColumnDictionary(entries) };
            filter.Apply(coded, 5, &mask);
        }
        Assert.Equal(0b10110UL, mask & 31);

        var constant = Vectors(types, [["b"]])[0];
        constant.Form = VectorForm.Constant;
        mask = 0b101;
        filter.Apply(constant, 3, &mask);
        Assert.Equal(0b101UL, mask);

        // It has let through all of very many rows: now it does not look.
        var many = new ulong[ColumnBatch.MaxRows / 64];
        for (var i = 0; i < 20; i++)
        {
            many.AsSpan().Fill(ulong.MaxValue);
            fixed (ulong* bits = many) filter.Apply(constant, ColumnBatch.MaxRows, bits);
        }
        var absent = Vectors(types, [["z"]])[0];
        absent.Form = VectorForm.Constant;
        mask = 1;
        filter.Apply(absent, 1, &mask);
        Assert.Equal(1UL, mask);
    }

    private static DataType TypeOf(string name) => name switch
    {
        "int" => DataType.Int,
        "bigint" => DataType.BigInt,
        "smallint" => DataType.SmallInt,
        "string" => DataType.String,
        "double" => DataType.Double,
        _ => DataType.Boolean,
    };

    private object?[][] Rows(DataType[] types, int rows, int distinct, long step, bool nulls)
    {
        var result = new object?[rows][];
        for (var i = 0; i < rows; i++)
        {
            result[i] = new object?[types.Length];
            for (var c = 0; c < types.Length; c++)
            {
                var number = _random.Next(distinct) * step;
                if (nulls && _random.Next(20) == 0) continue;
                result[i][c] = types[c].Physical switch
                {
                    PhysicalType.Int16 => (short)number,
                    PhysicalType.Int32 => (int)number,
                    PhysicalType.Int64 => number - 7,
                    PhysicalType.Float64 => number / 8.0,
                    PhysicalType.Bit => (number & 1) != 0,
                    _ => number % 3 == 0 ? $"{number}" : $"a rather long text, number {number}",
                };
            }
        }
        return result;
    }

    private ColumnVector[] Vectors(DataType[] types, object?[][] rows)
    {
        var vectors = types.Select(type => new FlatVector(_arena, type)).ToArray();
        var heap = new TextHeap(_arena);
        for (var c = 0; c < types.Length; c++)
        {
            new Span<ulong>(vectors[c].Validity, ColumnBatch.MaxRows / 64).Clear();
            if (types[c].Physical == PhysicalType.Bit) new Span<ulong>(vectors[c].Data, ColumnBatch.MaxRows / 64).Clear();
            var hasNulls = false;
            for (var i = 0; i < rows.Length; i++)
            {
                if (rows[i][c] is not { } value)
                {
                    hasNulls = true;
                    continue;
                }
                vectors[c].Validity[i >> 6] |= 1UL << (i & 63);
                switch (value)
                {
                    case short number: ((short*)vectors[c].Data)[i] = number; break;
                    case int number: ((int*)vectors[c].Data)[i] = number; break;
                    case long number: ((long*)vectors[c].Data)[i] = number; break;
                    case double number: ((double*)vectors[c].Data)[i] = number; break;
                    case bool bit: ((ulong*)vectors[c].Data)[i >> 6] |= (bit ? 1UL : 0) << (i & 63); break;
                    default: ((StringView*)vectors[c].Data)[i] = heap.Add(System.Text.Encoding.UTF8.GetBytes((string)value)); break;
                }
            }
            vectors[c].Set(rows.Length, hasNulls);
        }
        return [.. vectors.Select(vector => vector.Vector)];
    }

    // The rows as frames of uneven length.
    private JoinTable Make(DataType[] types, object?[][] rows, int parts, int[] strict, int[]? keys = null, int[]? filtered = null, int threads = 1)
    {
        var lengths = new Random(7);
        var frames = new List<BuildFrame>();
        var store = new RowStore(_arena, types);
        for (var first = 0; first < rows.Length;)
        {
            var count = Math.Min(rows.Length - first, lengths.Next(5_000, ColumnBatch.MaxRows + 1));
            var all = Enumerable.Range(0, count).Select(row => (ushort)row).ToArray();
            store.Append(Vectors(types, rows[first..(first + count)]), all);
            var size = Frame.SizeOf(store);
            var buffer = _arena.Rent(size);
            Frame.Write(store, buffer.Pointer);
            frames.Add(new BuildFrame(null, (nint)buffer.Pointer, size));
            store.Clear();
            first += count;
        }
        var layout = new JoinTableLayout(types, keys ?? [.. Enumerable.Range(0, types.Length)], strict, filtered ?? []);
        var table = new JoinTable(frames, layout, new TaskArena(_task.Context, "table"), parts);
        var helpers = Enumerable.Range(0, threads - 1).Select(_ => new Thread(() => table.Build(CancellationToken.None))).ToList();
        foreach (var helper in helpers) helper.Start();
        table.Build(CancellationToken.None);
        foreach (var helper in helpers) helper.Join();
        return table;
    }

    private int[] Find(JoinTable table, DataType[] types, object?[][] probes)
    {
        var found = new int[probes.Length];
        var rows = Enumerable.Range(0, probes.Length).Select(row => (ushort)row).ToArray();
        table.Find(Vectors(types, probes), rows, found);
        return found;
    }

    // The position of a row among those that were put in.
    private static int NumberOf(JoinTable table, int row)
    {
        var chunk = row >> BuildRows.ChunkBits;
        return Enumerable.Range(0, chunk).Sum(table.Rows.RowsOf) + (row & (ColumnBatch.MaxRows - 1));
    }
}
