using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>The equality of keys as a struct, so that the compiler puts it into each table's loop instead of calling it.</summary>
internal interface IKeyEquality<in TKey>
{
    /// <summary>Whether two keys are equal.</summary>
    bool AreEqual(TKey x, TKey y);
}

/// <summary><see cref="KeyEquality{TKey}"/>: inlined for value types, a virtual call for classes.</summary>
internal readonly struct DefaultEquality<TKey> : IKeyEquality<TKey>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AreEqual(TKey x, TKey y) => KeyEquality<TKey>.AreEqual(x, y);
}

/// <summary>Ordinal equality of texts, called directly: code shared by all classes could not know that its keys are strings.</summary>
internal readonly struct TextEquality : IKeyEquality<string>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AreEqual(string x, string y) => string.Equals(x, y);
}
