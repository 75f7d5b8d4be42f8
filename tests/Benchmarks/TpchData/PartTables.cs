namespace Dataflow.Benchmarks.TpchData;

/// <summary>Parts, and who supplies them. (TPC-H specification, clause 4.2.3)</summary>
internal static unsafe class PartTables
{
    private const int SuppliersOfPart = 4;
    private const int WordsOfName = 5;

    /// <summary>Makes parts.</summary>
    public static void Parts(RowSink sink, double scale, long first, long count)
    {
        var colors = WordLists.Colors.All;
        var (name, maker, brand, type) = (new Draws(709314158, colors.Length), new Draws(1), new Draws(46831694), new Draws(1841581359));
        var (size, container, comment) = (new Draws(1193163244), new Draws(727633698), new Draws(804159733, 2));
        Draws[] all = [name, maker, brand, type, size, container, comment];
        foreach (var draws in all) draws.Skip(first);
        var shuffled = new byte[colors.Length][];
        Span<byte> text = stackalloc byte[128];
        for (var part = first + 1; part <= first + count; part++)
        {
            sink.Add(part);

            // The first words of a shuffle that goes no further than it needs to.
            colors.CopyTo(shuffled, 0);
            var length = 0;
            for (var i = 0; i < WordsOfName; i++)
            {
                var swap = name.Next(i, colors.Length - 1);
                (shuffled[i], shuffled[swap]) = (shuffled[swap], shuffled[i]);
                if (i > 0) text[length++] = (byte)' ';
                shuffled[i].CopyTo(text[length..]);
                length += shuffled[i].Length;
            }
            sink.Add(text[..length]);
            var makerNumber = maker.Next(1, 5);
            sink.Add([.. "Manufacturer#"u8, (byte)('0' + makerNumber)]);
            sink.Add([.. "Brand#"u8, (byte)('0' + makerNumber), (byte)('0' + brand.Next(1, 5))]);
            sink.Add(WordLists.Types.Next(type));
            sink.Add(size.Next(1, 50));
            sink.Add(WordLists.Containers.Next(container));
            sink.Add(PriceOf(part));
            sink.Add(CommentPool.Shared.Next(comment, 14, out var commentLength), commentLength);
            sink.EndRow();
            foreach (var draws in all) draws.EndRow();
        }
    }

    /// <summary>Makes the four suppliers of each part.</summary>
    public static void PartSuppliers(RowSink sink, double scale, long first, long count)
    {
        var (quantity, cost, comment) = (new Draws(1671059989, SuppliersOfPart), new Draws(1051288424, SuppliersOfPart), new Draws(1961692154, 2 * SuppliersOfPart));
        Draws[] all = [quantity, cost, comment];
        foreach (var draws in all) draws.Skip(first);
        for (var part = first + 1; part <= first + count; part++)
        {
            for (var i = 0; i < SuppliersOfPart; i++)
            {
                sink.Add(part);
                sink.Add(SupplierOf(part, i, scale));
                sink.Add(quantity.Next(1, 9999));
                sink.Add(cost.Next(100, 100_000));
                sink.Add(CommentPool.Shared.Next(comment, 124, out var length), length);
                sink.EndRow();
            }
            foreach (var draws in all) draws.EndRow();
        }
    }

    /// <summary>What a part costs, in cents.</summary>
    public static long PriceOf(long part) => 90_000 + (part / 10 % 20_001) + (part % 1000 * 100);

    /// <summary>One of the four suppliers of a part: they are spread evenly over all.</summary>
    public static long SupplierOf(long part, long number, double scale)
    {
        var suppliers = (long)(10_000 * scale);
        return ((part + (number * ((suppliers / SuppliersOfPart) + ((part - 1) / suppliers)))) % suppliers) + 1;
    }
}
