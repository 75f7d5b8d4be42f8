using System.Data;
using System.Data.Common;

namespace Dataflow.Streaming;

/// <summary>A table that rows are written to: its statements, made once.</summary>
internal sealed class DatabaseTable
{
    private readonly string _table;
    private readonly string[] _columns;
    private readonly int[] _keys;
    private readonly bool _isTogether;
    private readonly string _insert;
    private bool _prepares = true;

    /// <param name="table">As SQL has it.</param>
    /// <param name="connection">Knows how names are written.</param>
    /// <param name="schema">Columns of the rows.</param>
    /// <param name="there">Columns of the table.</param>
    /// <param name="keys">Columns by which rows replace others.</param>
    /// <param name="isTogether">Whether several commands are sent at once.</param>
    public DatabaseTable(string table, DbConnection connection, Schema schema, string[] there, IReadOnlyList<string> keys, bool isTogether)
    {
        (_table, Schema, _isTogether) = (table, schema, isTogether);
        _columns = [.. schema.Fields.Select(field => Quoted(connection, there.FirstOrDefault(name => name == field.Name) ?? there.FirstOrDefault(name => name.Equals(field.Name, StringComparison.OrdinalIgnoreCase))
            ?? throw new StreamingException("SINK_WITHOUT_COLUMN", $"The table {table} has no column '{field.Name}' ({field.Type}). It has: {string.Join(", ", there)}. "
                + "Leave the column out with Select, or give it a name of these with As.")))];
        _keys = [.. keys.Select(key => schema.IndexOf(key) is var at and >= 0 ? at
            : throw new StreamingException("SINK_WITHOUT_COLUMN", $"The key '{key}' of table {table} is no column of the rows. They have: {string.Join(", ", schema.Fields.Select(field => field.Name))}."))];
        foreach (var field in schema.Fields) _ = DbTypeOf(field);
        _insert = $"INSERT INTO {table} ({string.Join(", ", _columns)}) VALUES ({string.Join(", ", Enumerable.Range(0, _columns.Length).Select(i => $"@p{i}"))})";
    }

    /// <summary>Columns of the rows.</summary>
    public Schema Schema { get; }

    /// <summary>Writes rows, within a transaction.</summary>
    public async Task WriteAsync(DbConnection connection, DbTransaction transaction, List<Row> rows, long batch, CancellationToken cancellation)
    {
        if (_isTogether) await WriteTogetherAsync(connection, transaction, rows, batch, cancellation).ConfigureAwait(false);
        else await WriteOneByOneAsync(connection, transaction, rows, batch, cancellation).ConfigureAwait(false);
    }

    /// <summary>A name as the database wants it in statements.</summary>
    public static string Quoted(DbConnection connection, string name)
    {
        using var builder = DbProviderFactories.GetFactory(connection)?.CreateCommandBuilder();
        return builder is { QuotePrefix.Length: > 0 } ? builder.QuoteIdentifier(name) : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <summary>The type of a column, as PostgreSQL calls it.</summary>
    public static string TypeOf(Field field) => field.Type.Kind switch
    {
        TypeKind.Boolean => "BOOLEAN",
        TypeKind.TinyInt or TypeKind.SmallInt => "SMALLINT",
        TypeKind.Int or TypeKind.YearMonthInterval => "INTEGER",
        TypeKind.BigInt => "BIGINT",
        TypeKind.Float => "REAL",
        TypeKind.Double => "DOUBLE PRECISION",
        TypeKind.Decimal => $"NUMERIC({((DecimalType)field.Type).Precision}, {((DecimalType)field.Type).Scale})",
        TypeKind.Binary => "BYTEA",
        TypeKind.Date => "DATE",
        TypeKind.Timestamp => "TIMESTAMP WITH TIME ZONE",
        TypeKind.TimestampNtz => "TIMESTAMP",
        TypeKind.DayTimeInterval => "INTERVAL",
        _ => "TEXT",
    };

    private async Task WriteTogetherAsync(DbConnection connection, DbTransaction transaction, List<Row> rows, long batch, CancellationToken cancellation)
    {
        var together = connection.CreateBatch();
        await using (together.ConfigureAwait(false))
        {
            together.Transaction = transaction;
            var owners = new List<Row>(rows.Count);
            foreach (var row in rows)
            {
                if (_keys.Length > 0) Add(DeleteOf(row), _keys, row);
                Add(_insert, null, row);
            }
            try
            {
                await PrepareAsync(together, cancellation).ConfigureAwait(false);
                await together.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }
            catch (DbException error)
            {
                if (error.BatchCommand is { } failed && together.BatchCommands.IndexOf(failed) is var at and >= 0) throw Refused(owners[at], 1, batch, error);
                await FindRefusedAsync(connection, transaction, rows, batch, cancellation).ConfigureAwait(false);
                throw Refused(null, rows.Count, batch, error);
            }

            void Add(string text, int[]? columns, Row row)
            {
                var command = together.CreateBatchCommand();
                command.CommandText = text;
                AddParameters(command.Parameters, command.CreateParameter, columns, row);
                together.BatchCommands.Add(command);
                owners.Add(row);
            }
        }
    }

    // The database reads each statement once, not for each row: providers that can't do that for several commands say so at the first.
    private async Task PrepareAsync(DbBatch together, CancellationToken cancellation)
    {
        if (!_prepares) return;
        try
        {
            await together.PrepareAsync(cancellation).ConfigureAwait(false);
        }
        catch (NotSupportedException)
        {
            _prepares = false;
        }
    }

    // Some providers don't say which of several commands failed. Nothing of this stays either.
    private async Task FindRefusedAsync(DbConnection connection, DbTransaction failed, List<Row> rows, long batch, CancellationToken cancellation)
    {
        try
        {
            await failed.RollbackAsync(cancellation).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await WriteOneByOneAsync(connection, transaction, rows, batch, cancellation).ConfigureAwait(false);
                await transaction.RollbackAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is DbException or InvalidOperationException)
        {
            // The connection is gone: what failed first is the better error.
        }
    }

    private async Task WriteOneByOneAsync(DbConnection connection, DbTransaction transaction, List<Row> rows, long batch, CancellationToken cancellation)
    {
        var commands = new Dictionary<string, (DbCommand Command, List<int> Columns)>(StringComparer.Ordinal);
        try
        {
            foreach (var row in rows)
            {
                if (_keys.Length > 0) await RunAsync(DeleteOf(row), _keys, row).ConfigureAwait(false);
                await RunAsync(_insert, null, row).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var (command, _) in commands.Values) await command.DisposeAsync().ConfigureAwait(false);
        }

        async Task RunAsync(string text, int[]? columns, Row row)
        {
            // A prepared command keeps to the parameters that it was prepared with: they get new values.
            var isNew = !commands.TryGetValue(text, out var prepared);
            if (isNew)
            {
                var command = connection.CreateCommand();
                commands.Add(text, prepared = (command, AddParameters(command.Parameters, command.CreateParameter, columns, row)));
                (command.CommandText, command.Transaction) = (text, transaction);
            }
            for (var i = 0; !isNew && i < prepared.Columns.Count; i++) prepared.Command.Parameters[i].Value = ValueOf(row, prepared.Columns[i]);
            try
            {
                if (isNew) await prepared.Command.PrepareAsync(cancellation).ConfigureAwait(false);
                await prepared.Command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }
            catch (DbException error)
            {
                throw Refused(row, 1, batch, error);
            }
        }
    }

    // Of nulls SQL says that they equal nothing.
    private string DeleteOf(Row row) => $"DELETE FROM {_table} WHERE {string.Join(" AND ", _keys.Select((key, i) => row[key] is null ? $"{_columns[key]} IS NULL" : $"{_columns[key]} = @p{i}"))}";

    private List<int> AddParameters(DbParameterCollection parameters, Func<DbParameter> make, int[]? columns, Row row)
    {
        var added = new List<int>();
        for (var i = 0; i < (columns?.Length ?? _columns.Length); i++)
        {
            var column = columns is null ? i : columns[i];
            if (columns is not null && row[column] is null) continue;
            var parameter = make();
            parameter.ParameterName = $"@p{i}";
            if (DbTypeOf(Schema[column]) is { } type) parameter.DbType = type;
            parameter.Value = ValueOf(row, column);
            parameters.Add(parameter);
            added.Add(column);
        }
        return added;
    }

    private object ValueOf(Row row, int column) => row[column] switch
    {
        null => DBNull.Value,
        sbyte small => (short)small,
        DateTime clock => DateTime.SpecifyKind(clock, DateTimeKind.Unspecified),
        SqlDecimal wide => throw new StreamingException(
            "SINK_VALUE", $"The column '{Schema[column]}' has {wide}, which has more digits than programs give to databases (28). Cast it to a decimal of fewer digits, or to string. The row: {row}."),
        var value => value,
    };

    // Null leaves it to the provider.
    private DbType? DbTypeOf(Field field) => field.Type.Kind switch
    {
        TypeKind.Boolean => DbType.Boolean,
        TypeKind.TinyInt or TypeKind.SmallInt => DbType.Int16,
        TypeKind.Int or TypeKind.YearMonthInterval => DbType.Int32,
        TypeKind.BigInt => DbType.Int64,
        TypeKind.Float => DbType.Single,
        TypeKind.Double => DbType.Double,
        TypeKind.Decimal => DbType.Decimal,
        TypeKind.String => DbType.String,
        TypeKind.Binary => DbType.Binary,
        TypeKind.Date => DbType.Date,
        TypeKind.Timestamp => DbType.DateTimeOffset,
        TypeKind.TimestampNtz => DbType.DateTime2,
        TypeKind.DayTimeInterval => null,
        _ => throw new StreamingException("SINK_VALUE", $"The column '{field}' has a type that the table {_table} can't take: databases know no {field.Type}. Cast it to string, or leave it out with Select."),
    };

    private StreamingException Refused(Row? row, int rows, long batch, DbException error)
    {
        var what = row is null ? $"one of {rows:N0} rows" : $"the row ({string.Join(", ", Schema.Fields.Select((field, i) => $"{field.Name} {field.Type} = {Short(row.TextOf(i))}"))})";
        var state = error.SqlState is null ? "" : $" (SQLSTATE {error.SqlState})";
        return new StreamingException(
            "SINK_REFUSED", $"The table {_table} refused {what} of batch {batch}: {error.Message}{state} Nothing of the batch was written. Correct the query or the table, and start the query again.", error);
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
