using Dataflow.Closures;
using Dataflow.Sql.Lambdas;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Records;

namespace Dataflow.Sql;

/// <summary>Functions of the program in queries.</summary>
/// <remarks>
/// Parameters and results are numbers, booleans, text, days, times, enums, bytes, and their nullable forms. A parameter that can be null sees nulls; a null
/// for another makes the result null without a call. The function is called for the rows that count, in any order, again if a task is retried, and once
/// for equal values where it is cheaper. It travels to executors as other lambdas do.
/// </remarks>
public static class FunctionExtensions
{
    extension(DataflowContext context)
    {
        /// <summary>Gives a function of the program a name in SQL; one of the same name is replaced.</summary>
        /// <remarks>Costs a call for a row: about a nanosecond for numbers; texts are made for each row.</remarks>
        /// <param name="name">Its name, without regard to case.</param>
        /// <param name="function">The function.</param>
        /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
        /// <exception cref="QueryException">A type has no SQL type.</exception>
        /// <exception cref="ClosureException">The lambda writes a captured variable or reads what lives in the driver only.</exception>
        public void RegisterFunction<T1, R>(string name, [RunsInTasks] Func<T1, R> function, bool isDeterministic = true) =>
            SqlSession.Of(context).Functions.Add(Make(name, function, new LambdaLoop<T1, R>(function), isDeterministic));

        /// <summary>Gives a function of the program a name in SQL; one of the same name is replaced.</summary>
        /// <remarks>Costs a call for a row: about a nanosecond for numbers; texts are made for each row.</remarks>
        /// <param name="name">Its name, without regard to case.</param>
        /// <param name="function">The function.</param>
        /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
        /// <exception cref="QueryException">A type has no SQL type.</exception>
        /// <exception cref="ClosureException">The lambda writes a captured variable or reads what lives in the driver only.</exception>
        public void RegisterFunction<T1, T2, R>(string name, [RunsInTasks] Func<T1, T2, R> function, bool isDeterministic = true) =>
            SqlSession.Of(context).Functions.Add(Make(name, function, new LambdaLoop<T1, T2, R>(function), isDeterministic));

        /// <summary>Gives a function of the program a name in SQL; one of the same name is replaced.</summary>
        /// <remarks>Costs a call for a row: about a nanosecond for numbers; texts are made for each row.</remarks>
        /// <param name="name">Its name, without regard to case.</param>
        /// <param name="function">The function.</param>
        /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
        /// <exception cref="QueryException">A type has no SQL type.</exception>
        /// <exception cref="ClosureException">The lambda writes a captured variable or reads what lives in the driver only.</exception>
        public void RegisterFunction<T1, T2, T3, R>(string name, [RunsInTasks] Func<T1, T2, T3, R> function, bool isDeterministic = true) =>
            SqlSession.Of(context).Functions.Add(Make(name, function, new LambdaLoop<T1, T2, T3, R>(function), isDeterministic));

        /// <summary>Gives a function of the program a name in SQL; one of the same name is replaced.</summary>
        /// <remarks>Costs a call for a row: about a nanosecond for numbers; texts are made for each row.</remarks>
        /// <param name="name">Its name, without regard to case.</param>
        /// <param name="function">The function.</param>
        /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
        /// <exception cref="QueryException">A type has no SQL type.</exception>
        /// <exception cref="ClosureException">The lambda writes a captured variable or reads what lives in the driver only.</exception>
        public void RegisterFunction<T1, T2, T3, T4, R>(string name, [RunsInTasks] Func<T1, T2, T3, T4, R> function, bool isDeterministic = true) =>
            SqlSession.Of(context).Functions.Add(Make(name, function, new LambdaLoop<T1, T2, T3, T4, R>(function), isDeterministic));

        /// <summary>Gives a function of the program a name in SQL; one of the same name is replaced.</summary>
        /// <remarks>Costs a call for a row: about a nanosecond for numbers; texts are made for each row.</remarks>
        /// <param name="name">Its name, without regard to case.</param>
        /// <param name="function">The function.</param>
        /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
        /// <exception cref="QueryException">A type has no SQL type.</exception>
        /// <exception cref="ClosureException">The lambda writes a captured variable or reads what lives in the driver only.</exception>
        public void RegisterFunction<T1, T2, T3, T4, T5, R>(string name, [RunsInTasks] Func<T1, T2, T3, T4, T5, R> function, bool isDeterministic = true) =>
            SqlSession.Of(context).Functions.Add(Make(name, function, new LambdaLoop<T1, T2, T3, T4, T5, R>(function), isDeterministic));
    }

    internal static LambdaFunction Make(string name, Delegate lambda, LambdaLoop loop, bool isDeterministic)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ClosureGuard.Check(lambda, "RegisterFunction");
        foreach (var type in loop.Parameters.Append(loop.Result))
        {
            if (ClrTypes.Find(type) is null)
                throw new QueryException("UNSUPPORTED_DATATYPE", $"The function '{name}' has a {type}, for which there is no SQL type. Use numbers, bool, text, days, times, bytes, or their nullable forms.");
        }
        return new LambdaFunction(name.ToLowerInvariant(), loop, isDeterministic);
    }
}

public static partial class Functions
{
    /// <summary>A function of the program for columns: <c>var twice = Udf((int x) => x * 2); frame.Select(twice(Col("a")))</c>.</summary>
    /// <remarks>See <see cref="FunctionExtensions"/>.</remarks>
    /// <param name="function">The function.</param>
    /// <param name="name">How plans and errors call it.</param>
    /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
    /// <exception cref="QueryException">A type has no SQL type.</exception>
    public static Func<Column, Column> Udf<T1, R>([RunsInTasks] Func<T1, R> function, string name = "udf", bool isDeterministic = true)
    {
        var made = FunctionExtensions.Make(name, function, new LambdaLoop<T1, R>(function), isDeterministic);
        return (c1) => new Column(new FunctionSyntax(made, [c1.Syntax]));
    }

    /// <summary>A function of the program for columns: <c>var twice = Udf((int x) => x * 2); frame.Select(twice(Col("a")))</c>.</summary>
    /// <remarks>See <see cref="FunctionExtensions"/>.</remarks>
    /// <param name="function">The function.</param>
    /// <param name="name">How plans and errors call it.</param>
    /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
    /// <exception cref="QueryException">A type has no SQL type.</exception>
    public static Func<Column, Column, Column> Udf<T1, T2, R>([RunsInTasks] Func<T1, T2, R> function, string name = "udf", bool isDeterministic = true)
    {
        var made = FunctionExtensions.Make(name, function, new LambdaLoop<T1, T2, R>(function), isDeterministic);
        return (c1, c2) => new Column(new FunctionSyntax(made, [c1.Syntax, c2.Syntax]));
    }

    /// <summary>A function of the program for columns: <c>var twice = Udf((int x) => x * 2); frame.Select(twice(Col("a")))</c>.</summary>
    /// <remarks>See <see cref="FunctionExtensions"/>.</remarks>
    /// <param name="function">The function.</param>
    /// <param name="name">How plans and errors call it.</param>
    /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
    /// <exception cref="QueryException">A type has no SQL type.</exception>
    public static Func<Column, Column, Column, Column> Udf<T1, T2, T3, R>([RunsInTasks] Func<T1, T2, T3, R> function, string name = "udf", bool isDeterministic = true)
    {
        var made = FunctionExtensions.Make(name, function, new LambdaLoop<T1, T2, T3, R>(function), isDeterministic);
        return (c1, c2, c3) => new Column(new FunctionSyntax(made, [c1.Syntax, c2.Syntax, c3.Syntax]));
    }

    /// <summary>A function of the program for columns: <c>var twice = Udf((int x) => x * 2); frame.Select(twice(Col("a")))</c>.</summary>
    /// <remarks>See <see cref="FunctionExtensions"/>.</remarks>
    /// <param name="function">The function.</param>
    /// <param name="name">How plans and errors call it.</param>
    /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
    /// <exception cref="QueryException">A type has no SQL type.</exception>
    public static Func<Column, Column, Column, Column, Column> Udf<T1, T2, T3, T4, R>([RunsInTasks] Func<T1, T2, T3, T4, R> function, string name = "udf", bool isDeterministic = true)
    {
        var made = FunctionExtensions.Make(name, function, new LambdaLoop<T1, T2, T3, T4, R>(function), isDeterministic);
        return (c1, c2, c3, c4) => new Column(new FunctionSyntax(made, [c1.Syntax, c2.Syntax, c3.Syntax, c4.Syntax]));
    }

    /// <summary>A function of the program for columns: <c>var twice = Udf((int x) => x * 2); frame.Select(twice(Col("a")))</c>.</summary>
    /// <remarks>See <see cref="FunctionExtensions"/>.</remarks>
    /// <param name="function">The function.</param>
    /// <param name="name">How plans and errors call it.</param>
    /// <param name="isDeterministic">Whether equal arguments give equal values.</param>
    /// <exception cref="QueryException">A type has no SQL type.</exception>
    public static Func<Column, Column, Column, Column, Column, Column> Udf<T1, T2, T3, T4, T5, R>([RunsInTasks] Func<T1, T2, T3, T4, T5, R> function, string name = "udf", bool isDeterministic = true)
    {
        var made = FunctionExtensions.Make(name, function, new LambdaLoop<T1, T2, T3, T4, T5, R>(function), isDeterministic);
        return (c1, c2, c3, c4, c5) => new Column(new FunctionSyntax(made, [c1.Syntax, c2.Syntax, c3.Syntax, c4.Syntax, c5.Syntax]));
    }
}
