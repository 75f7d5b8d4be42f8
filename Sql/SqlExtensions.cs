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

        /// <summary>Opens tables.</summary>
        public DataFrameReader Read => new(SqlSession.Of(context));
    }
}
