using System.Runtime.CompilerServices;
using Dataflow.Sql.Casts;
using Dataflow.Sql.Expressions;
using Dataflow.Sql.Parsing;
using Dataflow.Sql.Plans;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Gives expressions of one clause their meaning: columns for names, functions for calls, types that fit. Aggregates and window functions stay inside the
/// expressions; <see cref="AggregateSplitter"/> and <see cref="WindowSplitter"/> take them out into plans of their own.
/// </summary>
/// <param name="context">What the statement is bound with.</param>
/// <param name="scope">What names mean.</param>
/// <param name="commons">Names of WITH, for subqueries.</param>
internal sealed partial class ExpressionBinder(BindingContext context, Scope scope, CommonTables commons)
{
    // Chains such as a + b + c nest one level for each operator. Rules and kernels walk them by recursion as well.
    private const int MaxDepth = 1000;

    // Spark lets these be called without parentheses, where no column has the name.
    private static readonly HashSet<string> WithoutParentheses = new(StringComparer.OrdinalIgnoreCase)
    {
        "current_date", "current_timestamp", "current_time", "localtimestamp", "current_user", "session_user", "user",
    };

    private readonly TypeCoercion _coercion = new(context.Session);
    private int _depth;
    private bool _isInAggregate;
    private bool _isInWindow;
    private bool _isInTimeWindow;

    /// <summary>What errors call the clause.</summary>
    public required string Clause { get; init; }

    /// <summary>Whether aggregates may stand here.</summary>
    public bool AllowsAggregates { get; init; }

    /// <summary>Whether window functions may stand here.</summary>
    public bool AllowsWindows { get; init; }

    /// <summary>What the clause's own names mean, such as aliases in ORDER BY, before columns are looked for. Not asked inside aggregates.</summary>
    public Func<NameSyntax, Expression?>? NamesBefore { get; init; }

    /// <summary>What names mean that are no columns here, before queries around are asked.</summary>
    public Func<NameSyntax, Expression?>? NamesBehind { get; init; }

    /// <summary>What names with a point mean if no column does: window.start.</summary>
    public Func<NameSyntax, ExpressionSyntax?>? Fields { get; init; }

    /// <summary>Windows of time that rows are in several of; null where there can be none.</summary>
    public TimeWindows? Times { get; init; }

    /// <summary>WINDOW.</summary>
    public ValueList<KeyValuePair<string, WindowSyntax>> Windows { get; init; } = [];

    /// <summary>Binds an expression.</summary>
    public Expression Bind(ExpressionSyntax syntax)
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Error("EXPRESSION_TOO_DEEP", $"This expression nests deeper than {MaxDepth} operators.", syntax);
        }
        var bound = syntax switch
        {
            NameSyntax name => Name(name),
            // With its place, for the errors of casts that nobody wrote.
            LiteralSyntax literal => context.Text is null || literal.Position < 0 ? literal.Value : literal.Value with { Position = At(literal) },
            OperatorSyntax operation => Operator(operation),
            CallSyntax call => Call(call),
            FunctionSyntax function => Function(function),
            BoundSyntax already => already.Value,
            FrameColumnSyntax column => FrameColumn(column),
            TypedTextSyntax typed => LiteralConversion.TryConvert(new Literal(typed.Text, DataType.String), typed.Target, context.Session)
                ?? throw Error("INVALID_TYPED_LITERAL", $"'{typed.Text}' is not a {typed.Target}.", typed),
            ParameterSyntax parameter => Parameter(parameter),
            CastSyntax cast => Cast(cast),
            CaseSyntax choice => Case(choice),
            BetweenSyntax between => Between(between),
            LikeSyntax like => Like(like),
            InSyntax among => In(among),
            InQuerySyntax among => InQuery(among),
            ExistsSyntax exists => new ExistsSubquery(Subquery(exists.Query)) { Position = At(exists) },
            ScalarQuerySyntax scalar => ScalarQuery(scalar),
            ExtractSyntax extract => Extract(extract),
            StarSyntax => throw Error("INVALID_USAGE_OF_STAR_OR_REGEX", $"'*' can't stand in {Clause}, except in count(*).", syntax),
            RowSyntax => throw Error("UNSUPPORTED_FEATURE", "Several values in parentheses can stand only before IN, in VALUES and in GROUP BY.", syntax),
            _ => throw new InvalidOperationException($"The binder does not know {syntax.GetType().Name}. This is a bug; please report it."),
        };
        _depth--;
        return bound;
    }

    /// <summary>Binds a condition.</summary>
    public Expression BindCondition(ExpressionSyntax syntax)
    {
        var bound = Bind(syntax);
        if (bound.Type.Kind is TypeKind.Boolean or TypeKind.Null or TypeKind.String) return AsBoolean(bound, syntax);
        var errorClass = Clause == "a join's condition" ? "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE" : "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN";
        throw Error(errorClass, $"{char.ToUpperInvariant(Clause[0])}{Clause[1..]} takes a condition, which is boolean; '{SyntaxText.NameOf(syntax)}' is {bound.Type}.", syntax);
    }

    private TextPosition At(ExpressionSyntax syntax) => context.At(syntax.Position);

    private QueryException Error(string errorClass, string message, ExpressionSyntax syntax) => context.Error(errorClass, message, syntax.Position);

    private Expression Name(NameSyntax name)
    {
        if (name.Parts.Count == 1 && !_isInAggregate && NamesBefore?.Invoke(name) is { } before) return before;
        for (var at = scope; at is not null; at = at.Outer)
        {
            var found = at.Find(name.Parts);
            // A window of time is two columns, called window.start and window.end.
            if (found.Count == 0 && name.Parts.Count > 1) found = at.Find([.. name.Parts.Take(name.Parts.Count - 2), $"{name.Parts[^2]}.{name.Parts[^1]}"]);
            if (found.Count > 1)
            {
                throw Error("AMBIGUOUS_REFERENCE", $"'{string.Join('.', name.Parts)}' can be {string.Join(" or ", found.Select(column => column.Display))}.", name);
            }
            if (found.Count == 1)
            {
                var column = found[0].Column with { Name = name.Parts[^1], Qualifier = found[0].Qualifier, Position = At(name) };
                return at == scope ? column : new OuterReference(column) { Position = At(name) };
            }
            if (at == scope && name.Parts.Count == 1 && NamesBehind?.Invoke(name) is { } behind) return behind;
            if (at == scope && Fields?.Invoke(name) is { } field) return Bind(field);
        }
        if (name.Parts.Count == 1 && WithoutParentheses.Contains(name.Parts[0]) && context.Functions.FindScalar(name.Parts[0]) is not null)
        {
            return Scalar(name.Parts[0], [], name);
        }
        if (AllowsAggregates && name.Parts is [var id] && id.Equals("grouping__id", StringComparison.OrdinalIgnoreCase))
            return new GroupingCall([], IsId: true) { Position = At(name) };
        throw Unresolved(name);
    }

    private Expression FrameColumn(FrameColumnSyntax syntax)
    {
        var id = context.FrameColumns?.Invoke(syntax) ?? syntax.Column.Id;
        for (var at = scope; at is not null; at = at.Outer)
        {
            foreach (var column in at.Columns)
            {
                if (column.Column.Id == id) return at == scope ? column.Column : new OuterReference(column.Column);
            }
        }
        var inScope = scope.Columns.Select(column => column.Display).ToArray();
        throw Error(
            "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT",
            $"Column '{syntax.Column.Name}' was asked of a frame that is not read here, or that has been renamed since. In scope: {Suggest.Some(inScope)}. "
                + $"Name it with Col(\"{syntax.Column.Name}\") instead.",
            syntax);
    }

    private QueryException Unresolved(NameSyntax name)
    {
        var written = string.Join('.', name.Parts);
        var inScope = scope.Columns.Select(column => column.Display).ToArray();
        if (inScope.Length == 0 && scope.Outer is null)
            return Error("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", $"Unknown column '{written}'. There are no columns here.", name);
        var hint = Suggest.Hint(name.Parts[^1], scope.Columns.Select(column => column.Column.Name));
        return Error("UNRESOLVED_COLUMN.WITH_SUGGESTION", $"Unknown column '{written}'. In scope: {Suggest.Some(inScope)}.{hint}", name);
    }

    private Literal Parameter(ParameterSyntax parameter)
    {
        var written = parameter.Name is null ? $"number {parameter.Index + 1} (?)" : $":{parameter.Name}";
        if (!context.Parameters.TryFind(parameter.Name, parameter.Index, out var value))
        {
            throw Error(
                "UNBOUND_SQL_PARAMETER",
                $"Parameter {written} has no value.",
                parameter);
        }
        return Parameters.ToLiteral(value) ?? throw Error(
            "UNSUPPORTED_DATATYPE", $"Parameter {written} is a {value?.GetType()}, for which there is no SQL type. Lists can stand in IN (?) only.", parameter);
    }

    private Expression Cast(CastSyntax cast)
    {
        var operand = Bind(cast.Operand);
        if (!CastCompiler.Allows(operand.Type, cast.Target))
        {
            // As Spark: some have a function that does it, some can be cast where ANSI mode is off.
            var (errorClass, hint) = (operand.Type.Kind, cast.Target.Kind) switch
            {
                (TypeKind.Date, _) when cast.Target.IsNumber => ("CAST_WITH_FUNC_SUGGESTION", " Use unix_date."),
                (_, TypeKind.Date) when operand.Type.IsNumber => ("CAST_WITH_FUNC_SUGGESTION", " Use date_from_unix_date."),
                (TypeKind.Date or TypeKind.Timestamp, TypeKind.Boolean) or (TypeKind.Boolean, TypeKind.Timestamp) => ("CAST_WITH_CONF_SUGGESTION", ""),
                (TypeKind.Timestamp, TypeKind.Decimal) or (TypeKind.Decimal, TypeKind.Timestamp) => ("CAST_WITH_CONF_SUGGESTION", ""),
                (_, TypeKind.Binary) when operand.Type.IsInteger => ("CAST_WITH_CONF_SUGGESTION", ""),
                _ => ("CAST_WITHOUT_SUGGESTION", ""),
            };
            throw Error($"DATATYPE_MISMATCH.{errorClass}", $"A {operand.Type} can't become a {cast.Target}.{hint}", cast);
        }
        return operand.Type == cast.Target ? operand : new Cast(operand, cast.Target, cast.IsTry) { Position = At(cast) };
    }

    private Expression Case(CaseSyntax choice)
    {
        var operand = choice.Operand is null ? null : Bind(choice.Operand);
        List<Expression> conditions = [];
        List<Expression> values = [];
        for (var i = 0; i < choice.Branches.Count; i += 2)
        {
            var condition = choice.Branches[i];
            conditions.Add(operand is null ? AsBoolean(Bind(condition), condition) : Compare("=", operand, Bind(condition), condition));
            values.Add(Bind(choice.Branches[i + 1]));
        }
        if (choice.Else is not null) values.Add(Bind(choice.Else));
        return Case(conditions, values, choice);
    }

    /// <summary>A CASE whose values get a common type; the value behind the last condition, if there is one, is ELSE's.</summary>
    private Expression Case(IReadOnlyList<Expression> conditions, IReadOnlyList<Expression> values, ExpressionSyntax at)
    {
        if (TypeCoercion.Common(values.Select(value => value.Type)) is not { } type)
        {
            var types = string.Join(", ", values.Select(value => value.Type.SqlName).Distinct());
            throw Error("DATATYPE_MISMATCH.DATA_DIFF_TYPES", $"The values of CASE have no common type: {types}. Cast them to one.", at);
        }
        var branches = new Expression[conditions.Count * 2];
        for (var i = 0; i < conditions.Count; i++)
        {
            branches[2 * i] = conditions[i];
            branches[(2 * i) + 1] = Convert(values[i], type);
        }
        return new Case([.. branches], values.Count > conditions.Count ? Convert(values[^1], type) : Literal.NullOf(type)) { Position = At(at) };
    }

    private Expression Convert(Expression expression, DataType type) => _coercion.Convert(expression, type);

    private LogicalPlan Subquery(QuerySyntax query) => new QueryBinder(context, scope, commons).Bind(query);

    private ScalarSubquery ScalarQuery(ScalarQuerySyntax scalar)
    {
        var plan = Subquery(scalar.Query);
        if (plan.Output.Count != 1)
        {
            throw Error(
                "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                $"A query that stands for a value has one column, not {plan.Output.Count} ({Suggest.Some([.. plan.Output.Select(column => column.Name)])}).",
                scalar);
        }
        return new ScalarSubquery(plan) { Position = At(scalar) };
    }

    /// <summary>Whether all pairs are equal: USING.</summary>
    public Expression AllEqual(IReadOnlyList<(Expression Left, Expression Right)> pairs, int position)
    {
        var at = new OperatorSyntax("and", []) { Position = position };
        return Balanced([.. pairs.Select(pair => Compare("=", pair.Left, pair.Right, at))], at);
    }

    /// <summary>The first of two values unless it is null.</summary>
    public Expression FirstOf(Expression first, Expression second, int position)
    {
        var at = new OperatorSyntax("isnotnull", []) { Position = position };
        return Case([Apply("isnotnull", [first], at)], [first, second], at);
    }
}
