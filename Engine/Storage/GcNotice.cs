namespace Dataflow.Storage;

/// <summary>Calls back after each garbage collection, on the finalizer's thread: be quick there.</summary>
/// <remarks>An object that nobody holds is finalized by the next collection of its generation; a new one is left for the one after.</remarks>
internal sealed class GcNotice
{
    private readonly WeakReference<Action> _callback;

    private GcNotice(WeakReference<Action> callback) => _callback = callback;

    /// <summary>Starts; ends when <paramref name="callback"/> is no longer held by anybody else.</summary>
    public static void Start(Action callback) => _ = new GcNotice(new WeakReference<Action>(callback));

    ~GcNotice()
    {
        if (Environment.HasShutdownStarted || !_callback.TryGetTarget(out var callback)) return;
        callback();
        _ = new GcNotice(_callback);
    }
}
