namespace Dataflow.Files;

/// <summary>The elements of a file that a task took in last: where to look when one of them is what it failed on.</summary>
/// <param name="Slice">The part of the file.</param>
/// <param name="Element">What an element is called: <c>line</c>.</param>
/// <param name="First">Number of the first of them, from 1 at the start of the part.</param>
/// <param name="Last">Number of the last of them.</param>
internal readonly record struct ReadPosition(FileSlice Slice, string Element, long First, long Last)
{
    /// <summary>As errors show it: <c>lines 1 to 4,096 after byte 33,554,432 of '/logs/day.log'</c>.</summary>
    public override string ToString()
    {
        var which = First == Last ? $"{Element} {First:N0}" : $"{Element}s {First:N0} to {Last:N0}";
        return $"{which}{(Slice.Offset > 0 ? $" after byte {Slice.Offset:N0}" : "")} of '{Slice.Path}'";
    }
}
