using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dataflow.Tasks;

namespace Dataflow.Collectives;

// How bytes go to other tasks and come from them.
public sealed partial class CollectiveGroup
{
    private GangId _gang;
    private Inbox? _inbox;
    private string[] _addresses = [];
    private string[] _others = [];
    private string _here = "";
    private bool _isShared;

    private CollectiveCall _call;
    private int _sequence = -1;
    private long? _length;
    private long _deadline;

    private IPeerLinks Links => _task.Services.Exchange.Links!;

    /// <summary>Starts a call. The first makes the tasks known to each other.</summary>
    /// <param name="call">What the program called.</param>
    /// <param name="length">Bytes of the vector; null where they differ from task to task.</param>
    /// <param name="timeout">How long it may take.</param>
    private void Begin(CollectiveCall call, long? length, TimeSpan? timeout)
    {
        var patience = timeout ?? _task.Services.Options.BarrierTimeout;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(patience, TimeSpan.Zero, nameof(timeout));
        CheckThread();
        _task.ThrowIfCancelled();
        if (_inbox is null) Open(timeout);
        _call = call;
        _length = length;
        _sequence++;
        _deadline = Environment.TickCount64 + (long)Math.Min(patience.TotalMilliseconds, long.MaxValue / 4);
    }

    /// <summary>Remembers the call that was started, to go on with it later.</summary>
    private PendingReduction Pend() => new(new PendingCall(this, _call, _length!.Value, _sequence, _deadline));

    /// <summary>Goes on with a call that was started before. A mistake is told here: other tasks could only wait in vain.</summary>
    private void Resume(CollectiveCall call, long length, PendingReduction pending)
    {
        CheckThread();
        if (pending.Call is not { } begun || begun.Group != this)
            throw new InvalidOperationException($"End{call}() was given a reduction that was not begun here. Call Begin{call}() in the same attempt of the same task first, and end what it returns.");
        if (begun.Call != call)
            throw new InvalidOperationException($"End{call}() was given a reduction that Begin{begun.Call}() began. End it with End{begun.Call}().");
        if (begun.Length != length)
            throw new InvalidOperationException($"End{call}() was given {length:N0} bytes to end a reduction that began with {begun.Length:N0}. Give it the same values.");
        if (begun.IsEnded) throw new InvalidOperationException($"End{call}() was given a reduction that is ended already. Each is ended once.");
        begun.IsEnded = true;
        _task.ThrowIfCancelled();
        (_call, _length, _sequence, _deadline) = (call, length, begun.Sequence, begun.Deadline);
    }

    private void CheckThread()
    {
        if (TaskContext.Current != _task)
            throw new InvalidOperationException("The collectives belong to their task's own thread, which makes its calls in order. Call them there.");
    }

    private void Open(TimeSpan? timeout)
    {
        var (exchange, description) = (_task.Services.Exchange, _task.Description);
        _gang = new GangId(description.Stage.Value, description.StageAttempt);

        // Open before the others know of it: what comes to no inbox is dropped.
        _inbox = exchange.Open(_gang, TaskIndex);
        var cancelled = _task.CancellationToken.UnsafeRegister(static inbox => ((Inbox)inbox!).Cancel(), _inbox);
        _task.OnCompletion(_ =>
        {
            cancelled.Dispose();
            exchange.Close(_gang, TaskIndex);

            // The driver tells the others of a failure, with its cause: what they would miss of this task is not news.
            if (_task.HasFailed) return;
            exchange.End(_gang, TaskIndex);
            foreach (var other in _others) Links.TellEnded(other, _gang, TaskIndex);
        });
        _here = exchange.Links?.Address ?? "";
        _addresses = Array.ConvertAll(_barrier.Meet(MeetingKind.Collectives, Encoding.UTF8.GetBytes(_here), timeout), Encoding.UTF8.GetString);
        _others = [.. _addresses.Where(address => address != _here).Distinct()];
        if (_others.Length > 0) exchange.Know(_gang, _others);
        _isShared = _addresses.Count(address => address == _here) > 1;
    }

    private PeerHeader Header(int to, int part, long? length = null) => new(_gang, TaskIndex, to, _call, _sequence, part, length ?? _length ?? 0);

    private void Post(int to, int part, ReadOnlySpan<byte> bytes) => Post(Header(to, part), bytes);

    private void PostToAll(int part, ReadOnlySpan<byte> bytes) => Post(Header(PeerHeader.All, part), bytes);

    private void Post(PeerHeader header, ReadOnlySpan<byte> bytes)
    {
        if (header.To != PeerHeader.All && _addresses[header.To] != _here)
        {
            Send(_addresses[header.To], header, bytes);
            return;
        }
        if (header.To == PeerHeader.All)
        {
            foreach (var other in _others) Send(other, header, bytes);
            if (!_isShared) return;
        }
        _task.Services.Exchange.Deliver(header, bytes);
    }

    private void Send(string address, PeerHeader header, ReadOnlySpan<byte> bytes)
    {
        var left = _deadline - Environment.TickCount64;
        if (left <= 0) Fail("the time was up before all was sent");
        if (Links.Send(address, header, bytes, TimeSpan.FromMilliseconds(left), _task.CancellationToken) is not { } why) return;
        _inbox!.Lose(why);
        _inbox.AwaitDriver(_deadline);
        Fail(why);
    }

    /// <summary>Waits for a message, which must be of the same call and have so many bytes.</summary>
    private Received Take(int from, int part, int bytes)
    {
        var received = new Received(Take(from, part));
        if (received.Bytes.Length == bytes) return received;
        var length = received.Bytes.Length;
        received.Dispose();
        Fail($"task {from} sent {length:N0} bytes where {bytes:N0} belong. This is a mistake in Dataflow: please report it with this text");
        return default;
    }

    private PeerMessage Take(int from, int part)
    {
        if (_inbox!.Take(from, _sequence, part, _deadline, out var why) is not { } message)
        {
            _task.ThrowIfCancelled();
            Fail(why!);
            return null;
        }
        var header = message.Header;
        if (header.Call == _call && (_length is null || _length == header.Length)) return message;
        message.Release();
        Fail(header.Call == _call
            ? $"task {from} brought {header.Length:N0} bytes, and this task {_length:N0}. All tasks must bring vectors of equal length"
            : $"task {from} called {header.Call}(). All tasks of a barrier stage must make the same calls in the same order");
        return null;
    }

    /// <summary>Sends bytes of a length that the receiver does not know, in parts.</summary>
    private void PostBlock(int to, ReadOnlySpan<byte> bytes, int firstPart, int step)
    {
        var part = firstPart;
        for (var start = 0; start < bytes.Length || part == firstPart; part += step)
        {
            var piece = bytes.Slice(start, Math.Min(LargestPart, bytes.Length - start));
            Post(Header(to, part, bytes.Length), piece);
            start += piece.Length;
        }
    }

    private T[] TakeBlock<T>(int from, int firstPart, int step)
        where T : unmanaged
    {
        T[] block = [];
        var part = firstPart;
        for (var start = 0L; part == firstPart || start < (long)block.Length * Unsafe.SizeOf<T>(); part += step)
        {
            using var message = new Received(Take(from, part));
            if (part == firstPart)
            {
                var length = message.Length;
                if (length % Unsafe.SizeOf<T>() != 0 || length / Unsafe.SizeOf<T>() > Array.MaxLength)
                    Fail($"task {from} brought {length:N0} bytes, and a {typeof(T).Name} has {Unsafe.SizeOf<T>()}. All tasks must bring the same type");
                block = GC.AllocateUninitializedArray<T>((int)(length / Unsafe.SizeOf<T>()));
            }
            var left = MemoryMarshal.AsBytes(block.AsSpan())[(int)start..];
            message.Bytes.CopyTo(left);
            start += message.Bytes.Length;
        }
        return block;
    }

    [DoesNotReturn]
    private void Fail(string why)
    {
        _task.ThrowIfCancelled();
        throw new BarrierException(
            $"{_call}(), call {_sequence + 1} of the collectives in task {TaskIndex} of stage {_task.Description.Stage}, did not come to an end: {why}.");
    }

    /// <summary>A message, released at the end of its scope.</summary>
    private readonly struct Received(PeerMessage message) : IDisposable
    {
        public ReadOnlySpan<byte> Bytes => message.Bytes;

        public long Length => message.Header.Length;

        public void Dispose() => message.Release();
    }
}
