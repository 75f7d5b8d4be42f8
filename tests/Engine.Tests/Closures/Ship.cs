using Dataflow.Closures;
using Dataflow.Shared;

namespace Dataflow.Engine.Tests.Closures;

/// <summary>Sends objects through bytes.</summary>
internal static class Ship
{
    public static LoadedCode Code { get; } = new();

    public static T Copy<T>(T root) => ClosureCodec.Read<T>(ClosureCodec.Write(root).Bytes, new ReadContext(Code) { Broadcasts = new Direct() });

    /// <summary>Why it can't travel.</summary>
    public static string Refusal(object root) => Assert.Throws<ClosureException>(() => ClosureCodec.Write(root)).Message;

    // Nobody asks for a value unless the test gives one.
    private sealed class Direct : IBroadcastSource
    {
        public T Get<T>(long id) => throw new InvalidOperationException($"Nobody has broadcast {id}.");
    }
}
