using Dataflow.Sql.Analysis;

namespace Dataflow.Sql;

/// <summary>SQL on a context.</summary>
public static class SqlExtensions
{
    extension(DataflowContext context)
    {
        /// <summary>Understands a query, and does what it says if it is a command (CREATE VIEW, SET).</summary>
        /// <remarks>Lazy: a query runs when rows are asked for. Costs some milliseconds at the first call, and far less after.</remarks>
        /// <param name="text">The statement.</param>
        /// <exception cref="QueryException">It is wrong: says what, where, and the nearest known names.</exception>
        public DataFrame Sql(string text)
        {
            ArgumentNullException.ThrowIfNull(text);
            return SqlSession.Of(context).Run(text, Parameters.None);
        }

        /// <inheritdoc cref="Sql(DataflowContext, string)"/>
        /// <param name="text">An interpolated string; values in its holes are bound as parameters.</param>
        public DataFrame Sql(SqlText text)
        {
            ArgumentNullException.ThrowIfNull(text);
            return SqlSession.Of(context).Run(text.Text, Parameters.Of(text.Values));
        }

        /// <inheritdoc cref="Sql(DataflowContext, string)"/>
        /// <param name="text">The statement, with parameters as <c>:name</c>.</param>
        /// <param name="parameters">Their values.</param>
        public DataFrame Sql(string text, IReadOnlyDictionary<string, object?> parameters)
        {
            ArgumentNullException.ThrowIfNull(text);
            ArgumentNullException.ThrowIfNull(parameters);
            return SqlSession.Of(context).Run(text, Parameters.Of(parameters));
        }

        /// <summary>A view, or a table that lasts, as a frame.</summary>
        /// <remarks>Lazy. The files of a table are looked up now, and their footers read: rows that come later are in frames that are asked for later.</remarks>
        /// <param name="name">Its name, without regard to case. A view stands before a table of its name.</param>
        /// <exception cref="QueryException">There is neither: says which there are.</exception>
        public DataFrame Table(string name)
        {
            ArgumentException.ThrowIfNullOrEmpty(name);
            var session = SqlSession.Of(context);
            if (session.Catalog.Find(name) is { } plan) return new DataFrame(session, plan, null);
            var known = session.Catalog.Names;
            throw new QueryException("TABLE_OR_VIEW_NOT_FOUND",
                $"There is no table or view '{name}'. {(known.Count == 0 ? "There are no tables or views yet." : $"There are: {Suggest.Some(known)}.")}{Suggest.Hint(name, known)} Tables are looked for in '{session.Warehouse.Folder}' (context.Warehouse.Folder).");
        }

        /// <summary>Tables that last.</summary>
        public Warehouse Warehouse => SqlSession.Of(context).Warehouse;

        /// <summary>Opens tables.</summary>
        public DataFrameReader Read => new(SqlSession.Of(context));
    }
}
