using System.Data;
using System.Data.Common;
using System.Globalization;

namespace Dataflow.Streaming;

/// <summary>
/// Writes rows into a table of a database, through any provider of ADO.NET. Exactly once: a batch's number goes into a table of commits in the transaction that has its rows, and a batch whose number is
/// there already is passed over.
/// </summary>
/// <remarks>
/// <para>Columns go to columns of the same names, without regard to case. Rows come to the driver, partition after partition, and go over one connection, several at a time where the provider
/// can (<see cref="DbBatch"/>). Parameters are called <c>@p0</c>.</para>
/// <para>In append mode rows are inserted. In update mode rows with the same <see cref="Keys"/> are taken out before, so the table has the last value of each group; in complete mode the whole table
/// is emptied before. Batches of one query are told from those of others by the id in its checkpoint: begun anew with another checkpoint, it writes all rows again.</para>
/// </remarks>
public sealed class DatabaseSink : IStreamSink
{
    private readonly DbDataSource _database;
    private DatabaseTable? _table;

    /// <summary>Makes it; it connects with the first batch.</summary>
    /// <param name="database">The database, as <c>NpgsqlDataSource.Create(...)</c> gives it. Stays the caller's.</param>
    /// <param name="table">The table, as SQL has it: <c>clicks</c>, <c>public.clicks</c>, <c>"My clicks"</c>. It stands in statements as it is given: don't take it from strangers.</param>
    public DatabaseSink(DbDataSource database, string table)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentException.ThrowIfNullOrWhiteSpace(table);
        (_database, Table) = (database, table);
    }

    /// <summary>The table.</summary>
    public string Table { get; }

    /// <summary>Columns by which a row takes the place of another. Needed in update mode; in append mode, if there are any, rows replace rows too.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Whether a table that is not there is made, with columns of the types that <see cref="ColumnType"/> names, without keys and indexes.</summary>
    public bool CreateTable { get; init; }

    /// <summary>Where it says which batches are done. Made if it is not there: <c>query</c> (36 characters, key), <c>batch</c> (bigint).</summary>
    public string CommitTable { get; init => field = string.IsNullOrWhiteSpace(value) ? throw new ArgumentException("The table of commits needs a name.", nameof(CommitTable)) : value; } = "dataflow_commits";

    /// <summary>The type of a column in the database, for <see cref="CreateTable"/>; null takes names that PostgreSQL has.</summary>
    public Func<Field, string>? ColumnType { get; init; }

    /// <summary>Rows that are sent at once.</summary>
    public int RowsPerRoundTrip { get; init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(RowsPerRoundTrip), value, "1 row or more."); } = 500;

    // For tests: as with a provider that sends one command at a time.
    internal bool OneByOne { get; init; }

    /// <inheritdoc/>
    public string Name => $"table {Table}";

    /// <inheritdoc/>
    /// <exception cref="StreamingException">A column is not in the table, a value has no form there, or the database refuses a row: says which, with the reason. Or it has batches that the checkpoint, an older copy, does not know of (<c>SINK_AHEAD_OF_CHECKPOINT</c>).</exception>
    public async Task WriteAsync(StreamBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Mode == OutputMode.Update && Keys.Count == 0)
            throw new StreamingException("SINK_NEEDS_KEYS", $"Update mode gives a group each time it changes, and {Name} would keep all its values: name the columns of a group with Keys.");
        var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (_table is null || !_table.Schema.Equals(batch.Rows.Schema)) _table = await PrepareAsync(connection, batch.Rows.Schema, cancellationToken).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                if (!await TakeAsync(connection, transaction, batch, cancellationToken).ConfigureAwait(false)) return;
                if (batch.Mode == OutputMode.Complete) await ExecuteAsync(connection, transaction, $"DELETE FROM {Table}", cancellationToken).ConfigureAwait(false);
                var rows = new List<Row>(RowsPerRoundTrip);
                await foreach (var row in batch.Rows.ToAsyncEnumerable(cancellationToken).ConfigureAwait(false))
                {
                    rows.Add(row);
                    if (rows.Count < RowsPerRoundTrip) continue;
                    await _table.WriteAsync(connection, transaction, rows, batch.Id, cancellationToken).ConfigureAwait(false);
                    rows.Clear();
                }
                if (rows.Count > 0) await _table.WriteAsync(connection, transaction, rows, batch.Id, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<DbConnection> OpenAsync(CancellationToken cancellation)
    {
        try
        {
            return await _database.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        }
        catch (DbException error)
        {
            throw new StreamingException("SINK_UNREACHABLE", $"The database of {Name} can't be reached: {error.Message} See that it is there, and start the query again: it goes on with this batch.", error);
        }
    }

    // Marks the batch as done, in the transaction. A second process that does the same waits for this one's end, and then finds it done.
    private async Task<bool> TakeAsync(DbConnection connection, DbTransaction transaction, StreamBatch batch, CancellationToken cancellation)
    {
        var query = batch.Query.ToString("D", CultureInfo.InvariantCulture);
        if (await ExecuteAsync(connection, transaction, $"UPDATE {CommitTable} SET batch = @p0 WHERE query = @p1 AND batch < @p0", cancellation, batch.Id, query).ConfigureAwait(false) == 1) return true;
        using var command = Command(connection, transaction, $"SELECT batch FROM {CommitTable} WHERE query = @p0", query);
        if (await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is { } there)
        {
            if (Convert.ToInt64(there, CultureInfo.InvariantCulture) is var latest && latest > batch.Id)
                throw new StreamingException("SINK_AHEAD_OF_CHECKPOINT", $"{Name} has batches of the query up to {latest}, and its checkpoint goes on with {batch.Id}: it is an older copy than what the batches were written with. "
                    + "Start with the checkpoint that belongs to them.");
            return false;
        }
        await ExecuteAsync(connection, transaction, $"INSERT INTO {CommitTable} (query, batch) VALUES (@p0, @p1)", cancellation, query, batch.Id).ConfigureAwait(false);
        return true;
    }

    private async Task<DatabaseTable> PrepareAsync(DbConnection connection, Schema schema, CancellationToken cancellation)
    {
        if (await ColumnsAsync(connection, CommitTable, cancellation).ConfigureAwait(false) is null)
            await ExecuteAsync(connection, null, $"CREATE TABLE {CommitTable} (query VARCHAR(36) NOT NULL PRIMARY KEY, batch BIGINT NOT NULL)", cancellation).ConfigureAwait(false);
        var columns = await ColumnsAsync(connection, Table, cancellation).ConfigureAwait(false);
        if (columns is null && CreateTable)
        {
            var definitions = schema.Fields.Select(field => $"{DatabaseTable.Quoted(connection, field.Name)} {(ColumnType ?? DatabaseTable.TypeOf)(field)}{(field.Nullable ? "" : " NOT NULL")}");
            await ExecuteAsync(connection, null, $"CREATE TABLE {Table} ({string.Join(", ", definitions)})", cancellation).ConfigureAwait(false);
            columns = await ColumnsAsync(connection, Table, cancellation).ConfigureAwait(false);
        }
        if (columns is null) throw new StreamingException("SINK_WITHOUT_TABLE", $"There is no {Name} in the database, or it may not be read. Make it, or set CreateTable.");
        return new DatabaseTable(Table, connection, schema, columns, Keys, isTogether: connection.CanCreateBatch && !OneByOne);
    }

    // Asked on its own: an error would end a transaction.
    private static async Task<string[]?> ColumnsAsync(DbConnection connection, string table, CancellationToken cancellation)
    {
        using var command = Command(connection, null, $"SELECT * FROM {table} WHERE 1 = 0");
        try
        {
            var reader = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
            }
        }
        catch (DbException error) when (!error.IsTransient && connection.State == ConnectionState.Open)
        {
            return null;
        }
    }

    private async Task<int> ExecuteAsync(DbConnection connection, DbTransaction? transaction, string text, CancellationToken cancellation, params object[] values)
    {
        using var command = Command(connection, transaction, text, values);
        try
        {
            return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
        catch (DbException error)
        {
            throw new StreamingException("SINK_REFUSED", $"The database of {Name} refused '{text}': {error.Message}", error);
        }
    }

    private static DbCommand Command(DbConnection connection, DbTransaction? transaction, string text, params object[] values)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (text, transaction);
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ($"@p{i}", values[i]);
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
