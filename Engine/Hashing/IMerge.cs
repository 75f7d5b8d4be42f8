using System.Runtime.CompilerServices;

namespace Dataflow.Hashing;

/// <summary>What becomes of the values of a key, as a struct: the loop around it is compiled for each kind.</summary>
internal interface IMerge<in TIn, TValue>
{
    /// <summary>The value of a key that has come for the first time.</summary>
    TValue Create(TIn first);

    /// <summary>The value of a key that has come again.</summary>
    TValue Merge(TValue value, TIn next);
}

/// <summary>Values that are merged as they are.</summary>
internal readonly struct MergeValues<TValue>(Func<TValue, TValue, TValue> merge) : IMerge<TValue, TValue>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TValue Create(TValue first) => first;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TValue Merge(TValue value, TValue next) => merge(value, next);
}

/// <summary>Values that become part of one of another type.</summary>
internal readonly struct MergeInto<TIn, TValue>(Func<TIn, TValue> create, Func<TValue, TIn, TValue> merge) : IMerge<TIn, TValue>
{
    public TValue Create(TIn first) => create(first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TValue Merge(TValue value, TIn next) => merge(value, next);
}
