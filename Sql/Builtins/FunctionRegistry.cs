using System.Collections.Concurrent;

namespace Dataflow.Sql.Builtins;

/// <summary>The functions that queries may call, by name without regard to case. Sessions add their own beside the built-in ones.</summary>
public sealed class FunctionRegistry
{
    private readonly FunctionRegistry? _parent;
    private readonly ConcurrentDictionary<string, ScalarFunction> _scalars = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, AggregateFunction> _aggregates = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, WindowFunction> _windows = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A registry.</summary>
    /// <param name="parent">Asked for what is not here; null for none.</param>
    public FunctionRegistry(FunctionRegistry? parent = null) => _parent = parent;

    /// <summary>All names, its parent's included.</summary>
    public IEnumerable<string> Names => _scalars.Keys.Concat(_aggregates.Keys).Concat(_windows.Keys).Concat(_parent?.Names ?? []);

    /// <summary>Adds a function; one of the same name is replaced.</summary>
    public void Add(ScalarFunction function)
    {
        _scalars[function.Name] = function;
        foreach (var alias in function.Aliases) _scalars[alias] = function;
    }

    /// <summary>Adds a function; one of the same name is replaced.</summary>
    public void Add(AggregateFunction function)
    {
        _aggregates[function.Name] = function;
        foreach (var alias in function.Aliases) _aggregates[alias] = function;
    }

    /// <summary>Adds a function; one of the same name is replaced.</summary>
    public void Add(WindowFunction function) => _windows[function.Name] = function;

    /// <summary>A scalar function, or null.</summary>
    public ScalarFunction? FindScalar(string name) => _scalars.TryGetValue(name, out var found) ? found : _parent?.FindScalar(name);

    /// <summary>An aggregate function, or null.</summary>
    public AggregateFunction? FindAggregate(string name) => _aggregates.TryGetValue(name, out var found) ? found : _parent?.FindAggregate(name);

    /// <summary>A window function, or null.</summary>
    public WindowFunction? FindWindow(string name) => _windows.TryGetValue(name, out var found) ? found : _parent?.FindWindow(name);
}
