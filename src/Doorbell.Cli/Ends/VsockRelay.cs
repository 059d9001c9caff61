using System.Collections.Concurrent;
using Doorbell.Native;

namespace Doorbell.Cli.Ends;

/// <summary>Takes the connections of a vsock listener, at most 128 at once: those that come then wait in the backlog.</summary>
/// <param name="target">Where it listens, to name.</param>
/// <param name="listener">Owned by the caller.</param>
/// <param name="ends">Where they go on to.</param>
internal sealed class VsockRelay(VsockTarget target, StreamDescriptor listener, RelayedEnds ends) : IDisposable
{
    private const int MaxConnections = 128;

    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);

    /// <summary>Relays until it is stopped, and then what is open until the drain's deadline.</summary>
    /// <param name="idle">A connection ends if no byte moves for so long.</param>
    /// <param name="drain">How long what is open may go on.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(TimeSpan idle, TimeSpan drain, CancellationToken stop)
    {
        using CancellationTokenSource over = new();
        await using (stop.Register(listener.Stop))
        {
            await Task.Factory.StartNew(
                () => Accept(idle, over.Token, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        over.CancelAfter(drain);
        await Task.WhenAll(_running.Keys);
    }

    public void Dispose() => _places.Dispose();

    private void Accept(TimeSpan idle, CancellationToken over, CancellationToken stop)
    {
        try
        {
            while (listener.WaitForInput())
            {
                _places.Wait(stop);
                int descriptor = VsockSocket.Accept(listener.Input);
                if (descriptor < 0)
                {
                    _places.Release();
                    continue;
                }

                Task relaying = Task.Run(() => RelayAsync(descriptor, idle, over), CancellationToken.None);
                _running.TryAdd(relaying, true);
                _ = relaying.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // It was stopped while all places were taken.
        }
    }

    private async Task RelayAsync(int descriptor, TimeSpan idle, CancellationToken over)
    {
        await ends.RelayAsync(VsockTarget.Of(target.Name, descriptor), idle, over);
        _places.Release();
    }
}
