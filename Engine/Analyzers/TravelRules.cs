using Microsoft.CodeAnalysis;

namespace Dataflow.Analyzers;

/// <summary>By declared type, what can't travel to a task, why not, and what to do instead. The engine finds more: it sees the objects.</summary>
internal sealed class TravelRules
{
    private const string OpenThere = "Open it inside MapPartitions instead, once per partition";

    private readonly List<(INamedTypeSymbol Type, string Why, string Next)> _known = [];
    private readonly INamedTypeSymbol? _disposable;
    private readonly INamedTypeSymbol? _asyncDisposable;
    private readonly INamedTypeSymbol? _nonSerialized;

    public TravelRules(Compilation compilation)
    {
        _disposable = compilation.GetSpecialType(SpecialType.System_IDisposable);
        _asyncDisposable = compilation.GetTypeByMetadataName("System.IAsyncDisposable");
        _nonSerialized = compilation.GetTypeByMetadataName("System.NonSerializedAttribute");
        Add("every task would draw the same numbers", "Make one inside MapPartitions, from a seed and the partition's index", "System.Random");
        Add(
            "it runs in this process", "Await it before this verb, and capture its result",
            "System.Threading.Tasks.Task", "System.Threading.Tasks.ValueTask", "System.Threading.Tasks.ValueTask`1");
        Add("it holds an open file or connection", OpenThere, "System.IO.Stream", "System.IO.TextReader", "System.IO.TextWriter");
        Add("it can be cancelled in this process only", "Use TaskContext.Current.CancellationToken, and cancel the job", "System.Threading.CancellationToken");
        Add("expression trees stay in the driver", "Use a lambda", "System.Linq.Expressions.Expression");
        Add("it is a thread of this process", "Start it inside the task", "System.Threading.Thread");
        Add("it is a process of this machine", "Start it inside the task, or use Pipe", "System.Diagnostics.Process");

        void Add(string why, string next, params string[] names)
        {
            foreach (var name in names)
            {
                if (compilation.GetTypeByMetadataName(name) is { } type) _known.Add((type, why, next));
            }
        }
    }

    /// <summary>Why values of a type can't travel; null if they can, or if only the value tells.</summary>
    public (string Why, string Next)? Against(ITypeSymbol type)
    {
        if (type.SpecialType is SpecialType.System_IntPtr or SpecialType.System_UIntPtr)
            return ("it is an address in this process", "Keep the data in an array, or make the native object inside MapPartitions");
        foreach (var (known, why, next) in _known)
        {
            if (type.Is(known)) return (why, next);
        }
        if (!type.Is(_disposable) && !type.Is(_asyncDisposable)) return null;
        return LeavesSomethingBehind(type) ? null : ("it holds something that this process has open", "Make it inside MapPartitions instead, once per partition");
    }

    // A class with [NonSerialized] fields was made to travel without what it has open.
    private bool LeavesSomethingBehind(ITypeSymbol type)
    {
        for (ITypeSymbol? at = type; at is not null; at = at.BaseType)
        {
            foreach (var member in at.GetMembers())
            {
                if (member is IFieldSymbol && member.GetAttributes().Any(one => SymbolEqualityComparer.Default.Equals(one.AttributeClass, _nonSerialized))) return true;
            }
        }
        return false;
    }
}
