using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dataflow.Caching;

/// <summary>Adds up the objects that values refer to, each once. Layout rules of 64-bit .NET: 16 bytes of header, fields, rounded up to
/// 8.</summary>
internal sealed class ObjectWalk
{
    private const int HeaderBytes = 16;
    private const int MostObjects = 4096;
    private const int SampledSlots = 32;

    private static readonly ConcurrentDictionary<Type, Layout> Layouts = new();

    private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<object> _pending = new();

    /// <summary>Bytes of objects reached from a value that no earlier call has reached.</summary>
    public long Measure<T>(T value)
    {
        if (value is null) return 0;
        if (typeof(T).IsValueType)
            PushFields(value, LayoutOf(typeof(T)));
        else
            Push(value);
        return Walk();
    }

    public static long StringBytes(string? text) => text is null or "" ? 0 : Round(HeaderBytes + 4 + 2 + 2L * text.Length);

    private long Walk()
    {
        var bytes = 0.0;
        var objects = 0;
        while (_pending.TryPop(out var next))
        {
            // A graph that goes on and on is the program's own structure, not the elements': what was seen has to do.
            if (++objects > MostObjects)
            {
                _pending.Clear();
                break;
            }
            bytes += next switch
            {
                string text => StringBytes(text),
                Array array => OfArray(array),
                _ => OfObject(next),
            };
        }
        return (long)bytes;
    }

    private double OfObject(object value)
    {
        var layout = LayoutOf(value.GetType());
        if (layout.IsRuntimes) return 0;
        PushFields(value, layout);
        return layout.Bytes;
    }

    private double OfArray(Array array)
    {
        var element = array.GetType().GetElementType()!;
        var slot = element.IsValueType ? RuntimeHelpers.SizeOf(element.TypeHandle) : 8;
        var bytes = (double)Round(HeaderBytes + 8 + array.LongLength * slot);
        if (array.Rank != 1 || array.LongLength == 0) return bytes;
        var layout = element.IsValueType ? LayoutOf(element) : null;
        if (layout is { References.Length: 0 }) return bytes;

        // Few slots of a long array are looked at, and stand for the rest.
        var length = array.Length;
        var sampled = Math.Min(length, SampledSlots);
        if (sampled == length)
        {
            for (var i = 0; i < length; i++) PushSlot(array.GetValue(i), layout);
            return bytes;
        }
        var part = new ObjectWalk();
        foreach (var known in _seen) part._seen.Add(known);
        var below = 0L;
        for (var i = 0; i < sampled; i++)
        {
            part.PushSlot(array.GetValue((int)((long)i * length / sampled)), layout);
            below += part.Walk();
        }
        return bytes + (double)below * length / sampled;
    }

    private void PushSlot(object? value, Layout? layout)
    {
        if (value is null) return;
        if (layout is null)
            Push(value);
        else
            PushFields(value, layout);
    }

    private void PushFields(object value, Layout layout)
    {
        foreach (var field in layout.References)
        {
            if (field.GetValue(value) is not { } inner) continue;
            if (field.FieldType.IsValueType)
                PushFields(inner, LayoutOf(field.FieldType));
            else
                Push(inner);
        }
    }

    private void Push(object value)
    {
        if (_seen.Add(value)) _pending.Push(value);
    }

    private static long Round(long bytes) => (bytes + 7) & ~7L;

    // An optional value is boxed as its value, so that is what fields are read from.
    private static Layout LayoutOf(Type type) => Layouts.GetOrAdd(Nullable.GetUnderlyingType(type) ?? type, static type => new Layout(type));

    /// <summary>What the walk needs to know of a type.</summary>
    private sealed class Layout
    {
        public Layout(Type type)
        {
            // Of the runtime, and there once: not the elements' own.
            IsRuntimes = typeof(MemberInfo).IsAssignableFrom(type) || typeof(Delegate).IsAssignableFrom(type) || type.IsPointer
                || typeof(Thread).IsAssignableFrom(type) || typeof(Assembly).IsAssignableFrom(type);
            var references = new List<FieldInfo>();
            var bytes = 0L;
            for (var each = type; each is not null && !IsRuntimes; each = each.BaseType)
            {
                foreach (var field in each.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                {
                    var inner = field.FieldType;
                    if (inner.IsPointer || inner.IsByRef || inner.IsFunctionPointer || inner.IsByRefLike)
                    {
                        bytes += 8;
                        continue;
                    }
                    bytes += inner.IsValueType ? RuntimeHelpers.SizeOf(inner.TypeHandle) : 8;
                    if (!inner.IsValueType || HasReferences(inner)) references.Add(field);
                }
            }
            References = [.. references];
            Bytes = Math.Max(Round(HeaderBytes + bytes), 24);
        }

        /// <summary>Bytes of an object of the type, header included.</summary>
        public long Bytes { get; }

        public bool IsRuntimes { get; }

        /// <summary>Fields that are references or structs that hold some.</summary>
        public FieldInfo[] References { get; }

        private static bool HasReferences(Type type) =>
            !type.IsPrimitive && !type.IsEnum && LayoutOf(type).References.Length > 0;
    }
}
