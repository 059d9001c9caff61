using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>
/// Asks one proxy after the other for a connection, for whoever has a socket and no session. As pure as a session is: it says what to send,
/// and is told what came.
/// </summary>
public sealed class TunnelOpening
{
    private const int MaxPendingBytes = 64 * 1024;

    private readonly IReadOnlyList<TunnelLayer> _layers;
    private readonly OutputBuffer _wire = new(ArrayPool<byte>.Shared, MaxPendingBytes);
    private int _at = -1;

    /// <summary>Begins: there is something to send.</summary>
    /// <param name="via">The proxies; the first one is connected already.</param>
    /// <param name="target">What the last one is to connect to.</param>
    /// <exception cref="ArgumentException">It is no TCP server's endpoint.</exception>
    public TunnelOpening(IReadOnlyList<TunnelProxy> via, Endpoint target)
    {
        TunnelProxy.Validate(via, target);
        _layers = TunnelProxy.LayersOf(via, target);
        Next();
    }

    /// <summary>Whether all proxies have made their connections: what comes next is the target's.</summary>
    public bool IsOpen => _at == _layers.Count;

    /// <summary>The proxy that is asked, or was asked last.</summary>
    public TunnelProxy? Proxy => _layers.Count == 0 ? null : _layers[Math.Min(_at, _layers.Count - 1)].Proxy;

    /// <summary>Why a proxy does not make its connection; null if none has refused.</summary>
    public string? Failure => _layers.FirstOrDefault(static layer => layer.Failure is not null)?.Failure;

    /// <summary>What the <see cref="Failure"/> is as errno(3) has it, as in <c>ECONNREFUSED</c>.</summary>
    public string? Error => _layers.FirstOrDefault(static layer => layer.Failure is not null)?.Error;

    /// <summary>What to do about the <see cref="Failure"/>; null where there is nothing to say.</summary>
    public string? Advice => _layers.FirstOrDefault(static layer => layer.Failure is not null)?.Advice;

    /// <summary>What is to be sent now; valid until <see cref="Sent"/>.</summary>
    public ReadOnlyMemory<byte> Outgoing => _wire.Outgoing;

    /// <summary>So many bytes of <see cref="Outgoing"/> were sent.</summary>
    /// <param name="count">How many.</param>
    public void Sent(int count) => _wire.Taken(count);

    /// <summary>Bytes have come.</summary>
    /// <param name="came">At least one.</param>
    /// <returns>How many of them were the proxies'; at least one, unless it <see cref="IsOpen"/> or has failed.</returns>
    public int Received(ReadOnlySpan<byte> came)
    {
        int consumed = 0;
        while (!IsOpen && Failure is null && consumed < came.Length)
        {
            Unwrapped step = _layers[_at].Unwrap(came[consumed..], [], _wire);
            consumed += step.Consumed;
            if (step.State == LayerState.Transparent)
            {
                Next();
            }
        }

        return consumed;
    }

    private void Next()
    {
        _at++;
        if (_at < _layers.Count)
        {
            _ = _layers[_at].Begin(_wire);
        }
    }
}
