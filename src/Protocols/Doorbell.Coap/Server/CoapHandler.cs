using Doorbell.Sessions;

namespace Doorbell.Coap;

/// <summary>
/// A CoAP server (RFC 7252) on a datagram socket; <see cref="CoapService"/> makes one for each. What a resource throws is counted and
/// logged as any handler's fault; a duplicate of the request is
/// answered 5.00.
/// </summary>
/// <param name="server">This socket's alone.</param>
public sealed class CoapHandler(CoapServer server) : DatagramHandler
{
    /// <summary>What the ledger knows of.</summary>
    private CoapServerCounts _counted = server.Counts;

    private Bell? _bell;

    /// <inheritdoc/>
    public override void OnOpen(DatagramTurn turn)
    {
        foreach (CoapChanges changes in server.Changes)
        {
            changes.Add(_bell ??= turn.Bell);
        }
    }

    /// <inheritdoc/>
    public override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        try
        {
            DatagramPath path = new(datagram.From, datagram.To);
            ReadOnlySpan<byte> answer = server.Received(datagram.Bytes, path, turn.Now, turn.UtcNow);
            if (!answer.IsEmpty)
            {
                if (server.IsProved(datagram.From, turn.Now))
                {
                    turn.PeerIsProved();
                }

                turn.Reply(answer);
                turn.CountRequests(1);
            }
        }
        finally
        {
            End(turn);
        }
    }

    /// <inheritdoc/>
    public override void OnRing(DatagramTurn turn) => OnAlarm(turn);

    /// <inheritdoc/>
    public override void OnClosed(CloseReason reason)
    {
        foreach (CoapChanges changes in _bell is null ? [] : server.Changes)
        {
            changes.Remove(_bell!);
        }
    }

    /// <inheritdoc/>
    public override void OnAlarm(DatagramTurn turn)
    {
        try
        {
            server.Tick(turn.Now);
            while (server.TryTakeDue(turn.Now, turn.UtcNow, out DatagramPath path, out ReadOnlySpan<byte> datagram))
            {
                datagram.CopyTo(turn.Output.GetSpan(datagram.Length));
                turn.Output.Advance(datagram.Length);
                turn.SendTo(path.Peer, path.Local);
            }
        }
        finally
        {
            End(turn);
        }
    }

    /// <summary>Also behind a fault, which does not undo what was counted before it.</summary>
    private void End(DatagramTurn turn)
    {
        turn.Alarm = server.Deadline;
        CoapServerCounts counts = server.Counts;
        if (counts != _counted)
        {
            counts.Since(_counted).AddTo(turn);
            _counted = counts;
        }
    }
}
