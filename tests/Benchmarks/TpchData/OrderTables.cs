namespace Dataflow.Benchmarks.TpchData;

/// <summary>Orders and their lines. Both draw dates, quantities and prices from the same streams, so that they agree. (TPC-H specification, clause 4.2.3)</summary>
internal static unsafe class OrderTables
{
    private const int MostLines = 7;
    private const int FirstDay = 8035;      // 1992-01-01
    private const int LastOrderDay = FirstDay + 2405;
    private const int Today = 9298;         // 1995-06-17: what was shipped or received by then is in the past
    private const int DeadCustomers = 3;    // every third one has no orders

    /// <summary>Makes orders.</summary>
    public static void Orders(RowSink sink, double scale, long first, long count)
    {
        var line = new LineDraws(scale);
        var (customer, priority, clerk, comment) = (new Draws(851767375), new Draws(591449447), new Draws(1171034773), new Draws(276090261, 2));
        var customers = (int)(150_000 * scale);
        var clerks = Math.Max((int)(scale * 1000), 1000);
        Draws[] all = [customer, priority, clerk, comment];
        line.Skip(first);
        foreach (var draws in all) draws.Skip(first);
        for (var order = first + 1; order <= first + count; order++)
        {
            var day = line.OrderDay();
            var key = (long)customer.Next(1, customers);
            for (var step = 1; key % DeadCustomers == 0; step = -step) key = Math.Min(key + step, customers);
            var (total, shipped, lines) = (0L, 0, line.Lines());
            for (var i = 0; i < lines; i++)
            {
                var (quantity, discount, tax, part) = line.Next();
                total += PartTables.PriceOf(part) * quantity * (100 - discount) / 100 * (100 + tax) / 100;
                if (day + line.ShipDays() <= Today) shipped++;
            }
            sink.Add(KeyOf(order));
            sink.Add(key);
            sink.Add(shipped == lines ? "F"u8 : shipped > 0 ? "P"u8 : "O"u8);
            sink.Add(total);
            sink.Add(day);
            sink.Add(WordLists.Priorities.Next(priority));
            sink.Add("Clerk#"u8, clerk.Next(1, clerks));
            sink.Add(0);
            sink.Add(CommentPool.Shared.Next(comment, 49, out var length), length);
            sink.EndRow();
            line.EndRow();
            foreach (var draws in all) draws.EndRow();
        }
    }

    /// <summary>Makes the lines of orders.</summary>
    public static void Lines(RowSink sink, double scale, long first, long count)
    {
        var line = new LineDraws(scale);
        var (supplier, commit, receipt) = (new Draws(2095021727, MostLines), new Draws(904914315, MostLines), new Draws(373135028, MostLines));
        var (flag, instruction, mode, comment) = (new Draws(717419739, MostLines), new Draws(1371272478, MostLines), new Draws(675466456, MostLines), new Draws(1095462486, 2 * MostLines));
        Draws[] all = [supplier, commit, receipt, flag, instruction, mode, comment];
        line.Skip(first);
        foreach (var draws in all) draws.Skip(first);
        for (var order = first + 1; order <= first + count; order++)
        {
            var day = line.OrderDay();
            var lines = line.Lines();
            for (var i = 1; i <= lines; i++)
            {
                var (quantity, discount, tax, part) = line.Next();
                var shipped = day + line.ShipDays();
                var received = shipped + receipt.Next(1, 30);
                sink.Add(KeyOf(order));
                sink.Add(part);
                sink.Add(PartTables.SupplierOf(part, supplier.Next(0, 3), scale));
                sink.Add(i);
                sink.Add(quantity * 100);
                sink.Add(PartTables.PriceOf(part) * quantity);
                sink.Add(discount);
                sink.Add(tax);
                sink.Add(received <= Today ? WordLists.ReturnFlags.Next(flag) : "N"u8);
                sink.Add(shipped <= Today ? "F"u8 : "O"u8);
                sink.Add(shipped);
                sink.Add(day + commit.Next(30, 90));
                sink.Add(received);
                sink.Add(WordLists.Instructions.Next(instruction));
                sink.Add(WordLists.Modes.Next(mode));
                sink.Add(CommentPool.Shared.Next(comment, 27, out var length), length);
                sink.EndRow();
            }
            line.EndRow();
            foreach (var draws in all) draws.EndRow();
        }
    }

    // Of 32 keys in a row only the first eight are used.
    private static long KeyOf(long order) => (order >> 3 << 5) | (order & 7);

    /// <summary>What orders and lines both need of a line.</summary>
    private sealed class LineDraws(double scale)
    {
        private readonly Draws _day = new(1066728069), _lines = new(1434868289), _quantity = new(209208115, MostLines), _discount = new(554590007, MostLines);
        private readonly Draws _tax = new(721958466, MostLines), _part = new(1808217256, MostLines), _ship = new(1769349045, MostLines);
        private readonly int _parts = (int)(200_000 * scale);

        public int OrderDay() => _day.Next(FirstDay, LastOrderDay);

        public int Lines() => _lines.Next(1, MostLines);

        public (int Quantity, int Discount, int Tax, int Part) Next() => (_quantity.Next(1, 50), _discount.Next(0, 10), _tax.Next(0, 8), _part.Next(1, _parts));

        public int ShipDays() => _ship.Next(1, 121);

        public void Skip(long rows)
        {
            foreach (var draws in (Draws[])[_day, _lines, _quantity, _discount, _tax, _part, _ship]) draws.Skip(rows);
        }

        public void EndRow()
        {
            _day.EndRow();
            _lines.EndRow();
            _quantity.EndRow();
            _discount.EndRow();
            _tax.EndRow();
            _part.EndRow();
            _ship.EndRow();
        }
    }
}
