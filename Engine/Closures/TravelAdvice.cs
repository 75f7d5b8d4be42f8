using System.Collections;
using System.Linq.Expressions;
using Dataflow.Serialization;
using Dataflow.Surrogates;

namespace Dataflow.Closures;

/// <summary>Says why objects of a class of .NET's can't travel, and what to do instead.</summary>
internal static class TravelAdvice
{
    private const string OpenThere = "Open it inside MapPartitions instead, once per partition";

    /// <param name="type">The class of the object.</param>
    /// <param name="held">It, or the class of .NET's that it extends.</param>
    public static (string Why, string Next) About(Type type, Type held)
    {
        var (why, next) = About(held);
        return type == held ? (why, next) : ($"it extends {TypeNames.Short(held)}, and {why}", next);
    }

    private static (string Why, string Next) About(Type type)
    {
        if (typeof(Random).IsAssignableFrom(type))
            return ("every task would draw the same numbers", "Make one inside MapPartitions, from a seed and the partition's index");
        if (typeof(Task).IsAssignableFrom(type) || type.Name.StartsWith("ValueTask", StringComparison.Ordinal))
            return ("it runs in this process", "Await it before this verb, and capture its result");
        if (typeof(Stream).IsAssignableFrom(type) || typeof(TextReader).IsAssignableFrom(type) || typeof(TextWriter).IsAssignableFrom(type))
            return ("it holds an open file or connection", OpenThere);
        if (typeof(Expression).IsAssignableFrom(type)) return ("expression trees stay in the driver", "Use a lambda");
        if (typeof(Thread).IsAssignableFrom(type)) return ("it is a thread of this process", "Start it inside the task");
        if (typeof(System.Diagnostics.Process).IsAssignableFrom(type)) return ("it is a process of this machine", "Start it inside the task, or use Pipe");
        if (CollectionForms.IsCollection(type))
            return ("such a collection travels by its content, which the class built on it may see differently", "Hold the collection in a field instead");
        if (typeof(IEnumerable).IsAssignableFrom(type) || typeof(IEnumerator).IsAssignableFrom(type))
            return ("it is not a collection but a recipe or a view of one", "Keep a copy, with ToArray() or ToList(), and capture that");
        if (typeof(IDisposable).IsAssignableFrom(type))
            return ("it holds something that this process has open", "Make it inside MapPartitions instead, once per partition");
        return ("a class of .NET's like that may mean nothing in another process", "Capture what it was made from, and make it inside MapPartitions");
    }
}
