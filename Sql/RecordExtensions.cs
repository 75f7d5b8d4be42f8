using Dataflow.Sql.Analysis;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Plans;
using Dataflow.Sql.Records;

namespace Dataflow.Sql;

/// <summary>Objects of the program as frames.</summary>
public static class RecordExtensions
{
    extension(DataflowContext context)
    {
        /// <summary>Objects of the program as a frame: a column for each public property that can be read, or part of a tuple.</summary>
        /// <remarks>Lazy. The objects travel with the tasks that read them, and become columns there. Numbers, text, days, times, enums (as text), bytes and
        /// their nullable forms have columns; a <see cref="decimal"/> becomes a decimal(38,18), a <see cref="DateTime"/> a timestamp_ntz.</remarks>
        /// <typeparam name="T">A record, a class, a tuple, or a plain value, whose column is called <c>value</c>.</typeparam>
        /// <param name="records">The objects; read at once.</param>
        /// <param name="partitions">How many parts they are cut into; 0 takes the default parallelism.</param>
        /// <exception cref="QueryException">A property has a type that SQL does not have; says which.</exception>
        public DataFrame FromRecords<T>(IEnumerable<T> records, int partitions = 0)
        {
            ArgumentNullException.ThrowIfNull(records);
            var list = records as T[] ?? [.. records];
            var table = new RecordTable<T>(context.Parallelize(list, partitions), list.Length);
            return new DataFrame(SqlSession.Of(context), Scan.Of(table), null);
        }

        /// <summary>Rows of values as a frame.</summary>
        /// <remarks>Lazy. For some rows made by hand: they stand in the plan. <c>FromRecords</c> is for many.</remarks>
        /// <param name="rows">The rows: values as <see cref="Functions.Lit"/> takes them.</param>
        /// <param name="schema">The columns; values are converted to their types where that loses nothing.</param>
        /// <exception cref="QueryException">A row has more or fewer values than there are columns, or one does not fit its column.</exception>
        public DataFrame CreateDataFrame(IEnumerable<IReadOnlyList<object?>> rows, Schema schema)
        {
            ArgumentNullException.ThrowIfNull(rows);
            ArgumentNullException.ThrowIfNull(schema);
            var session = SqlSession.Of(context);
            ValueList<ColumnReference> columns = [.. schema.Select(field => new ColumnReference(field.Name, field.Type, field.Nullable))];
            return new DataFrame(session, new Values([.. rows.Select(Row)], columns), null);

            ValueList<Expression> Row(IReadOnlyList<object?> row, int number)
            {
                if (row.Count != schema.Count) throw new QueryException("NUM_COLUMNS_MISMATCH", $"Row {number} has {row.Count} values, but there are {schema.Count} columns ({schema}).");
                return [.. row.Select((value, i) => Fitting(value, schema[i], number))];
            }

            Expression Fitting(object? value, Field field, int number)
            {
                var literal = Parameters.ToLiteral(value);
                if (literal is not null && (literal.Value is not null || field.Nullable) && LiteralConversion.TryConvert(literal, field.Type, session.Settings()) is { } fitting) return fitting;
                throw new QueryException("DATATYPE_MISMATCH", $"Row {number} has {value ?? "NULL"}{(value is null ? "" : $" ({value.GetType().Name})")} for the column '{field}', where it does not fit.");
            }
        }
    }

    extension<T>(Rdd<T> rdd)
    {
        /// <summary>The elements as a frame: a column for each public property that can be read, or part of a tuple.</summary>
        /// <remarks>Lazy, narrow: a task turns its elements into columns, those only that the query reads.</remarks>
        /// <exception cref="QueryException">A property has a type that SQL does not have; says which.</exception>
        public DataFrame ToDataFrame() => new(SqlSession.Of(rdd.Context), Scan.Of(new RecordTable<T>(rdd, -1)), null);
    }
}
