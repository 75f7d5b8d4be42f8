using Dataflow.Sql.Parsing;

namespace Dataflow.Sql.Analysis;

/// <summary>
/// Windows of time as Spark writes them: <c>window(time, length[, slide[, start]])</c> and <c>session_window(time, gap)</c> are values there, with the fields <c>start</c> and <c>end</c>. Here each is
/// two columns, called <c>window.start</c> and <c>window.end</c>: of a SELECT this makes one that names these, by <c>window_start</c> and its like.
/// </summary>
/// <param name="context">For errors.</param>
/// <param name="scope">The columns of FROM.</param>
internal sealed class WindowFields(BindingContext context, Scope scope)
{
    // By name; null where several windows have it.
    private readonly Dictionary<string, CallSyntax?> _windows = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The SELECT with two columns for each window, in the select list and in GROUP BY.</summary>
    public SelectSyntax Apply(SelectSyntax select)
    {
        foreach (var item in select.Items)
        {
            if (item.Value is CallSyntax { IsTimeWindow: true } window) Add(item.Alias, window);
        }
        foreach (var key in select.Grouping?.Elements.SelectMany(Keys) ?? [])
        {
            if (key is CallSyntax { IsTimeWindow: true } window) Add(null, window);
        }
        return select with
        {
            Items = [.. select.Items.SelectMany(Items)],
            Grouping = select.Grouping is { } grouping ? grouping with { Elements = grouping.Elements.ConvertAll(Grouped) } : null,
        };
    }

    /// <summary>What a name such as window.start means; null if no window has it.</summary>
    public ExpressionSyntax? Field(NameSyntax name)
    {
        if (name.Parts is not [var window, var field] || Find(window, name.Position) is not { } call) return null;
        var isEnd = field.Equals("end", StringComparison.OrdinalIgnoreCase);
        return isEnd || field.Equals("start", StringComparison.OrdinalIgnoreCase) ? call.OfWindow(isEnd) with { Position = name.Position } : null;
    }

    /// <summary>By what ORDER BY window sorts: where windows begin.</summary>
    public ExpressionSyntax OrderOf(ExpressionSyntax key) => Pair(key) is { } pair ? pair.Start : key;

    private static IEnumerable<ExpressionSyntax> Keys(GroupingElementSyntax element) => element.Sets.SelectMany(set => set).Concat(element.Nested.SelectMany(Keys));

    private void Add(string? alias, CallSyntax window)
    {
        var name = alias ?? window.Name;
        if (!_windows.TryAdd(name, window) && (_windows[name] is not { } other || SyntaxText.NameOf(other) != SyntaxText.NameOf(window))) _windows[name] = null;
    }

    private CallSyntax? Find(string name, int position) => !_windows.TryGetValue(name, out var window) ? null
        : window ?? throw context.Error("AMBIGUOUS_REFERENCE", $"'{name}' can be several windows. Give each a name in the select list: window(...) AS name.", position);

    private IEnumerable<ItemSyntax> Items(ItemSyntax item)
    {
        if (Pair(item.Value) is not { } pair) return [item];
        var name = item.Alias ?? (item.Value is NameSyntax named ? named.Parts[0] : ((CallSyntax)item.Value).Name);
        return [item with { Value = pair.Start, Alias = $"{name}.start" }, item with { Value = pair.End, Alias = $"{name}.end" }];
    }

    private GroupingElementSyntax Grouped(GroupingElementSyntax element) => element with
    {
        Sets = element.Sets.ConvertAll(set => (ValueList<ExpressionSyntax>)[.. set.SelectMany(key => Pair(key) is { } pair ? (ExpressionSyntax[])[pair.Start, pair.End] : [key])]),
        Nested = element.Nested.ConvertAll(Grouped),
    };

    // A window, the name of one, or of one that a query in FROM gives.
    private (ExpressionSyntax Start, ExpressionSyntax End)? Pair(ExpressionSyntax syntax)
    {
        if (syntax is CallSyntax { IsTimeWindow: true } call) return (call.OfWindow(isEnd: false), call.OfWindow(isEnd: true));
        if (syntax is not NameSyntax { Parts: [var name] } || scope.Find([name]).Count > 0) return null;
        if (Find(name, syntax.Position) is { } window) return (window.OfWindow(isEnd: false) with { Position = syntax.Position }, window.OfWindow(isEnd: true) with { Position = syntax.Position });
        return scope.Find([$"{name}.start"]).Count == 1 && scope.Find([$"{name}.end"]).Count == 1
            ? (new NameSyntax($"{name}.start") { Position = syntax.Position }, new NameSyntax($"{name}.end") { Position = syntax.Position })
            : null;
    }
}
