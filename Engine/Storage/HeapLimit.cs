using System.Runtime;

namespace Dataflow.Storage;

/// <summary>The managed heap's hard limit: without one it may grow far beyond what is alive before it collects.</summary>
/// <remarks>
/// Only under workstation garbage collection: under server collection the limit can't be changed while the process runs, so executors get
/// theirs at start. When several contexts of one process set limits, the lowest holds; the last one that goes leaves the heap as it was.
/// </remarks>
internal sealed class HeapLimit : IDisposable
{
    private const string Setting = "GCHeapHardLimit";

    // A heap that is hit by its limit throws OutOfMemoryException in user code; below this there would be no room to work.
    private const long SmallestBytes = 64L << 20;

    private static readonly Lock Gate = new();
    private static readonly List<HeapLimit> Active = [];
    private static object? _before;

    private readonly long _bytes;

    private HeapLimit(long bytes) => _bytes = bytes;

    /// <summary>Sets a limit, if this process can have one of this size.</summary>
    /// <param name="bytes">Most bytes the heap may take from the system.</param>
    /// <returns>Null if no limit was set: server collection, a heap that is larger already, or a limit given at start that is
    /// lower.</returns>
    public static HeapLimit? TrySet(long bytes)
    {
        if (GCSettings.IsServerGC || bytes < SmallestBytes) return null;
        lock (Gate)
        {
            if (Active.Count == 0)
            {
                _before = AppContext.GetData(Setting);
                if (IsSetAtStart()) return null;
            }
            var limit = new HeapLimit(bytes);
            Active.Add(limit);
            if (Apply()) return limit;
            Active.Remove(limit);
            Apply();
            return null;
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (Active.Remove(this)) Apply();
        }
    }

    private static bool IsSetAtStart()
    {
        var settings = GC.GetConfigurationVariables();
        return settings.TryGetValue(Setting, out var value) && Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture) > 0;
    }

    private static bool Apply()
    {
        // 0 stands for no limit; the runtime refuses a missing value.
        AppContext.SetData(Setting, Active.Count == 0 ? 0UL : (ulong)Active.Min(limit => limit._bytes));
        try
        {
            GC.RefreshMemoryLimit();
            return true;
        }
        catch (InvalidOperationException)
        {
            // The heap has more than that already: the bound is kept by collecting, not by the limit.
            return false;
        }
        finally
        {
            if (Active.Count == 0) AppContext.SetData(Setting, _before);
        }
    }
}
