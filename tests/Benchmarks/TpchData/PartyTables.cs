using System.Text;

namespace Dataflow.Benchmarks.TpchData;

/// <summary>Customers, suppliers, and where they live. (TPC-H specification, clause 4.2.3)</summary>
internal static unsafe class PartyTables
{
    private const int DrawsOfAddress = 9;

    private static ReadOnlySpan<byte> AddressLetters => "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"u8;

    /// <summary>Makes regions.</summary>
    public static void Regions(RowSink sink, double scale, long first, long count)
    {
        var comment = new Draws(1500869201, 2);
        comment.Skip(first);
        for (var region = first; region < first + count; region++)
        {
            sink.Add(region);
            sink.Add(Encoding.ASCII.GetBytes(WordLists.Regions[region]));
            sink.Add(CommentPool.Shared.Next(comment, 72, out var length), length);
            sink.EndRow();
            comment.EndRow();
        }
    }

    /// <summary>Makes nations.</summary>
    public static void Nations(RowSink sink, double scale, long first, long count)
    {
        var comment = new Draws(606179079, 2);
        comment.Skip(first);
        for (var nation = first; nation < first + count; nation++)
        {
            var (name, region) = WordLists.Nations[nation];
            sink.Add(nation);
            sink.Add(Encoding.ASCII.GetBytes(name));
            sink.Add(region);
            sink.Add(CommentPool.Shared.Next(comment, 72, out var length), length);
            sink.EndRow();
            comment.EndRow();
        }
    }

    /// <summary>Makes customers.</summary>
    public static void Customers(RowSink sink, double scale, long first, long count)
    {
        var (address, nation, phone) = (new Draws(881155353, DrawsOfAddress), new Draws(1489529863), new Draws(1521138112, 3));
        var (balance, segment, comment) = (new Draws(298370230), new Draws(1140279430), new Draws(1335826707, 2));
        Draws[] all = [address, nation, phone, balance, segment, comment];
        foreach (var draws in all) draws.Skip(first);
        for (var customer = first + 1; customer <= first + count; customer++)
        {
            var nationKey = nation.Next(0, WordLists.Nations.Length - 1);
            sink.Add(customer);
            sink.Add("Customer#"u8, customer);
            Address(sink, address);
            sink.Add(nationKey);
            Phone(sink, phone, nationKey);
            sink.Add(balance.Next(-99_999, 999_999));
            sink.Add(WordLists.Segments.Next(segment));
            sink.Add(CommentPool.Shared.Next(comment, 73, out var length), length);
            sink.EndRow();
            foreach (var draws in all) draws.EndRow();
        }
    }

    /// <summary>Makes suppliers; of ten thousand, ten are complained of or recommended in their comments.</summary>
    public static void Suppliers(RowSink sink, double scale, long first, long count)
    {
        var (address, nation, phone) = (new Draws(706178559, DrawsOfAddress), new Draws(110356601), new Draws(884434366, 3));
        var (balance, comment, opinion) = (new Draws(962338209), new Draws(1341315363, 2), new Draws(202794285));
        var (gap, place, isComplaint) = (new Draws(263032577), new Draws(715851524), new Draws(753643799));
        Draws[] all = [address, nation, phone, balance, comment, opinion, gap, place, isComplaint];
        foreach (var draws in all) draws.Skip(first);
        Span<byte> changed = stackalloc byte[256];
        for (var supplier = first + 1; supplier <= first + count; supplier++)
        {
            var nationKey = nation.Next(0, WordLists.Nations.Length - 1);
            sink.Add(supplier);
            sink.Add("Supplier#"u8, supplier);
            Address(sink, address);
            sink.Add(nationKey);
            Phone(sink, phone, nationKey);
            sink.Add(balance.Next(-99_999, 999_999));
            var text = CommentPool.Shared.Next(comment, 63, out var length);
            if (opinion.Next(1, 10_000) > 10)
            {
                sink.Add(text, length);
            }
            else
            {
                new ReadOnlySpan<byte>(text, length).CopyTo(changed);
                var words = "Customer "u8.Length + "Complaints"u8.Length;
                var between = gap.Next(0, length - words);
                var at = place.Next(0, length - (words + between));
                "Customer "u8.CopyTo(changed[at..]);
                (isComplaint.Next(0, 100) < 50 ? "Complaints"u8 : "Recommends"u8).CopyTo(changed[(at + "Customer "u8.Length + between)..]);
                sink.Add(changed[..length]);
            }
            sink.EndRow();
            foreach (var draws in all) draws.EndRow();
        }
    }

    // Five letters of six bits come of one number.
    private static void Address(RowSink sink, Draws draws)
    {
        Span<byte> text = stackalloc byte[40];
        var length = draws.Next(10, 40);
        long letters = 0;
        for (var i = 0; i < length; i++, letters >>= 6)
        {
            if (i % 5 == 0) letters = draws.Next(0, int.MaxValue);
            text[i] = AddressLetters[(int)(letters & 63)];
        }
        sink.Add(text[..length]);
    }

    private static void Phone(RowSink sink, Draws draws, int nation)
    {
        Span<byte> text = stackalloc byte[15];
        text[2] = text[6] = text[10] = (byte)'-';
        Digits(text[..2], 10 + nation);
        Digits(text[3..6], draws.Next(100, 999));
        Digits(text[7..10], draws.Next(100, 999));
        Digits(text[11..], draws.Next(1000, 9999));
        sink.Add(text);
    }

    private static void Digits(Span<byte> to, int number)
    {
        for (var i = to.Length - 1; i >= 0; i--, number /= 10) to[i] = (byte)('0' + (number % 10));
    }
}
