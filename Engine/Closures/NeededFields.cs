using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Closures;

/// <summary>Captured variables that must not be left out, because another lambda with the same capture object reads them.</summary>
internal sealed class NeededFields
{
    private readonly HashSet<(Reference Owner, FieldInfo Field)> _fields = [];

    /// <summary>Whether some were added since this was last cleared.</summary>
    public bool HaveGrown { get; set; }

    public bool Contains(object owner, FieldInfo field) => _fields.Contains((new Reference(owner), field));

    public void Add(object owner, FieldInfo field) => HaveGrown |= _fields.Add((new Reference(owner), field));

    // Display classes have no equality of their own, but a record struct would ask for it.
    private readonly struct Reference(object target) : IEquatable<Reference>
    {
        private readonly object _target = target;

        public bool Equals(Reference other) => ReferenceEquals(_target, other._target);

        public override bool Equals(object? obj) => obj is Reference other && Equals(other);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(_target);
    }
}
