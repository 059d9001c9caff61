using System.Net.Sockets;

namespace Doorbell.Cli.Ends;

/// <summary>
/// Two ends joined, both directions at once, as one relay. The end of one is told to the other, and its own end is waited for, if it has a
/// way to be told; one without, such as a terminal, has until it has given nothing for a moment. What is cut off cuts the other off.
/// </summary>
/// <param name="first">Owned by the caller.</param>
/// <param name="second">Owned by the caller.</param>
internal sealed class EndJoin(OpenEnd first, OpenEnd second)
{
    private const int BufferBytes = 64 * 1024;
    private const int InputOutputError = 5;

    private long _lastMove = Environment.TickCount64;

    /// <summary>How long an end that has not ended may give nothing, when the other has ended and it can't be told.</summary>
    public required TimeSpan Wait { get; init; }

    /// <summary>It ends if no byte moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Whether what is stopped is cut off, as by a connection that is gone.</summary>
    public bool IsCutWhenStopped { get; init; }

    /// <summary>Whether it has ended since no byte moved.</summary>
    public bool WasIdle { get; private set; }

    /// <summary>Joins both until the end, and leaves both for the caller to close.</summary>
    /// <param name="stop">Ends it.</param>
    /// <returns>What went wrong, in one line; null if both ended, or it was stopped.</returns>
    public async Task<string?> RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<bool> up = CopyAsync(first, second, over.Token);
        Task<bool> down = CopyAsync(second, first, over.Token);
        string? failure = null;
        bool mayBeSilent = false;
        try
        {
            Task<bool> ended = await EndOfAsync(up, down, IdleTimeout);
            bool isAwaited = await ended;
            Task<bool> other = ended == up ? down : up;
            mayBeSilent = !isAwaited;
            _ = await EndOfAsync(other, other, isAwaited ? IdleTimeout : Wait);
            _ = await other;
        }
        catch (TimeoutException)
        {
            WasIdle = !mayBeSilent;
            failure = mayBeSilent
                ? null
                : $"relay {first.Name} to {second.Name}: no byte moved for {IdleTimeout!.Value.TotalSeconds:0.###} s, so both were closed";
        }
        catch (OperationCanceledException)
        {
            if (IsCutWhenStopped)
            {
                Abort();
            }
        }
        catch (NetworkException cut)
        {
            failure = cut.Message;
            Abort();
        }

        await over.CancelAsync();
        await Task.WhenAll(Quietly(up), Quietly(down));
        if (failure is null && !stop.IsCancellationRequested)
        {
            await Task.WhenAll(first.DrainAsync(), second.DrainAsync());
        }

        return failure;
    }

    /// <summary>Cuts both off.</summary>
    private void Abort()
    {
        first.Abort();
        second.Abort();
    }

    private static async Task Quietly(Task copying)
    {
        await Task.WhenAny(copying);
        _ = copying.Exception;
    }

    /// <summary>Waits for one of both, as long as something moves.</summary>
    /// <exception cref="TimeoutException">Nothing has moved for so long.</exception>
    private async Task<Task<bool>> EndOfAsync(Task<bool> one, Task<bool> other, TimeSpan? silence)
    {
        Task<Task<bool>> ended = Task.WhenAny(one, other);
        Volatile.Write(ref _lastMove, Environment.TickCount64);
        while (silence is { } bound)
        {
            TimeSpan left = bound - TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastMove));
            if (left <= TimeSpan.Zero)
            {
                throw new TimeoutException();
            }

            using CancellationTokenSource early = new();
            if (await Task.WhenAny(ended, Task.Delay(left, early.Token)) == ended)
            {
                await early.CancelAsync();
                break;
            }
        }

        return await ended;
    }

    /// <summary>Copies until the end, and tells the other side of it.</summary>
    /// <returns>Whether the other side can be awaited: it has been told, and its bytes still have a reader.</returns>
    /// <exception cref="NetworkException">It was cut off.</exception>
    private async Task<bool> CopyAsync(OpenEnd from, OpenEnd to, CancellationToken over)
    {
        byte[] buffer = new byte[BufferBytes];
        (string operation, OpenEnd end) = ("receive", from);
        try
        {
            for (int count; (count = await from.Stream.ReadAsync(buffer, over)) > 0; (operation, end) = ("receive", from))
            {
                (operation, end) = ("send", to);
                Volatile.Write(ref _lastMove, Environment.TickCount64);
                await to.Stream.WriteAsync(buffer.AsMemory(0, count), over);
                await to.Stream.FlushAsync(over);
                Volatile.Write(ref _lastMove, Environment.TickCount64);
            }

            // A connection that is gone gives an end too.
            over.ThrowIfCancellationRequested();
            (operation, end) = ("send", to);
            return await to.EndSendingAsync() && !from.IsGoneAtEnd;
        }
        catch (IOException closed) when (end == to && to.IsGoneAtEnd && closed.HResult == InputOutputError)
        {
            // Nobody has the terminal open any more: that is its end.
            return false;
        }
        catch (Exception cut) when (cut is IOException or SocketException or InvalidOperationException)
        {
            throw NetworkException.From(operation, end.Name, cut);
        }
    }
}
