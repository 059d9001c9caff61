using Doorbell.Lab.Impair.Faults;
using Doorbell.Links;
using Doorbell.Serving;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>Takes one direction of one connection from a peer to the other, as its way says.</summary>
internal sealed class StreamPump(StreamPeer from, StreamPeer to, StreamWay way, StreamRoom room, long seed) : IAsyncDisposable
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>How often who is kept waiting is looked at: it may have gone.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    private readonly ChunkQueue _queue = new(room);
    private readonly StreamSchedule _schedule = new(seed);
    private Task _receiving = Task.CompletedTask;
    private long _forwarded;
    private TimeSpan _sentAt = TimeSpan.MinValue;

    /// <summary>Carries until the sender's end has been passed on, or the connection is to be reset.</summary>
    public async Task<StreamEnd> RunAsync(CancellationToken over)
    {
        _receiving = ReceiveAllAsync(over);
        while (await NextAsync(over) is { } chunk)
        {
            if (chunk.Kind != StreamChunkKind.Bytes)
            {
                return await EndAsync(chunk, over);
            }

            if (!await PassAsync(chunk, over))
            {
                return StreamEnd.Reset;
            }

            _queue.Done(chunk);
        }

        await WaitForDeliveryAsync(over);
        return StreamEnd.ResetAsked;
    }

    /// <summary>Behind the end, or when what it was given to run with is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _queue.Dispose();
    }

    private async Task ReceiveAllAsync(CancellationToken over)
    {
        byte[] buffer = new byte[BufferBytes];
        int? count;
        do
        {
            await _queue.WaitForRoomAsync(() => StreamSchedule.MaxBytes(way.Faults.Now.Link), over);
            count = await from.ReceiveAsync(buffer, over);
            StreamChunkKind kind = count switch
            {
                null => StreamChunkKind.Reset,
                0 => StreamChunkKind.End,
                _ => StreamChunkKind.Bytes,
            };
            way.CountReceived(count ?? 0);
            _queue.Add(new StreamChunk(buffer.AsSpan(0, count ?? 0).ToArray(), MonotonicClock.Now, kind));
        }
        while (count > 0);
    }

    /// <summary>What comes next; null when the connection is to be reset first.</summary>
    private async ValueTask<StreamChunk?> NextAsync(CancellationToken over)
    {
        Task<StreamChunk> next = _queue.NextAsync(over).AsTask();
        while (true)
        {
            Task changed = way.Faults.Changed;
            if (IsResetDue)
            {
                return null;
            }

            if (next.IsCompleted)
            {
                return await next;
            }

            await Task.WhenAny(next, changed);
        }
    }

    /// <summary>Passes a chunk on, up to where the connection is to be reset.</summary>
    /// <returns>Whether anybody is there for it.</returns>
    private async ValueTask<bool> PassAsync(StreamChunk chunk, CancellationToken over)
    {
        for (int sent = 0; sent < chunk.Bytes.Length && !IsResetDue;)
        {
            if (!await WaitWhileAsync(IsStalled, over))
            {
                return false;
            }

            ReadOnlyMemory<byte> piece = NextPiece(chunk.Bytes.AsMemory(sent), way.Faults.Now);
            await WaitToSendAsync(chunk.ReceivedAt, piece.Length, over);
            await ForwardAsync(piece, over);
            sent += piece.Length;
        }

        return true;
    }

    private bool IsResetDue => way.Faults.Now.Stream.ResetAfter <= _forwarded;

    private bool IsStalled(StreamFaults faults) => faults.StallAfter <= _forwarded;

    /// <summary>No further than to where it stalls or is reset, though to set those late may find that passed already.</summary>
    private ReadOnlyMemory<byte> NextPiece(ReadOnlyMemory<byte> bytes, WayFaults faults)
    {
        long most = Math.Min(faults.Stream.StallAfter ?? long.MaxValue, faults.Stream.ResetAfter ?? long.MaxValue) - _forwarded;
        int piece = StreamSchedule.PieceOf(bytes.Length, faults);
        return bytes[..(int)Math.Clamp(most, 1, piece)];
    }

    private async ValueTask WaitToSendAsync(TimeSpan receivedAt, int bytes, CancellationToken over)
    {
        LinkOptions? asked = null;
        TimeSpan arrival = TimeSpan.Zero;
        await WaitUntilAsync(
            () =>
            {
                WayFaults faults = way.Faults.Now;
                arrival = asked == faults.Link ? arrival : _schedule.ArrivalOf(receivedAt, bytes, faults.Link);
                asked = faults.Link;
                bool isCut = faults.Stream.SliceBytes is not null && _sentAt != TimeSpan.MinValue;
                return isCut && arrival < _sentAt + faults.Stream.SliceGap ? _sentAt + faults.Stream.SliceGap : arrival;
            },
            over);
    }

    private async ValueTask ForwardAsync(ReadOnlyMemory<byte> piece, CancellationToken over)
    {
        // Who has gone is still read from: the one who sends may be kept from knowing. That one's own reset tells the rest.
        if (!to.IsLost && await to.SendAsync(piece, over))
        {
            way.CountForwarded(piece.Length);
        }
        else
        {
            way.CountDiscarded(piece.Length);
        }

        _forwarded += piece.Length;
        _sentAt = MonotonicClock.Now;
    }

    /// <summary>The sender's end travels as its bytes do.</summary>
    private async Task<StreamEnd> EndAsync(StreamChunk end, CancellationToken over)
    {
        await WaitToSendAsync(end.ReceivedAt, 0, over);
        TimeSpan arrival = MonotonicClock.Now;
        await WaitUntilAsync(() => arrival + way.Faults.Now.Stream.SlowClose, over);
        if (!await WaitWhileAsync(faults => faults.HalfOpen || IsStalled(faults), over) || end.Kind == StreamChunkKind.Reset)
        {
            return StreamEnd.Reset;
        }

        to.SendEnd();
        return StreamEnd.Orderly;
    }

    /// <summary>Waits until the faults are others; not if the receiver goes, for whom alone this would be.</summary>
    /// <returns>Whether the receiver is still there.</returns>
    private async ValueTask<bool> WaitWhileAsync(Func<StreamFaults, bool> holds, CancellationToken over)
    {
        bool isLookedAfter = false;
        while (true)
        {
            Task changed = way.Faults.Changed;
            if (!holds(way.Faults.Now.Stream))
            {
                return true;
            }

            if (!isLookedAfter)
            {
                isLookedAfter = true;
                to.LookAfter();
            }

            await Task.WhenAny(changed, Task.Delay(_look, over));
            over.ThrowIfCancellationRequested();
            if (to.HasGone())
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Until a time, which may be another when the faults are. Never early; later by what the timer's milliseconds and the scheduler
    /// make of it.
    /// </summary>
    private async ValueTask WaitUntilAsync(Func<TimeSpan> time, CancellationToken over)
    {
        while (true)
        {
            Task changed = way.Faults.Changed;
            TimeSpan wait = time() - MonotonicClock.Now;
            if (wait <= TimeSpan.Zero)
            {
                return;
            }

            await Task.WhenAny(changed, Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), over));
            over.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A reset throws away what the kernel has not delivered: that is waited for, a second at most.</summary>
    private async Task WaitForDeliveryAsync(CancellationToken over)
    {
        const int MaxLooks = 1000;
        for (int looks = 0; looks < MaxLooks && !to.HasAll(); looks++)
        {
            await Task.Delay(1, over);
        }
    }
}
