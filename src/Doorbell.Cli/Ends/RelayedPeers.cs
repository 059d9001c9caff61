using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Doorbell.Cli.Ends;

/// <summary>
/// Datagrams that come to one socket, relayed to streams: each peer has a stream of its own, until nothing has moved there for a while. At
/// most 1,024 peers are known at once; the datagrams of one more are lost, and counted.
/// </summary>
/// <param name="ends">Where the streams go.</param>
/// <param name="framing">Where a datagram ends in a stream.</param>
/// <param name="idle">How long nothing may move.</param>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer and no handle to dispose of; the socket's end cancels it.")]
internal sealed class RelayedPeers(RelayedEnds ends, Framing framing, TimeSpan idle) : DatagramHandler
{
    private const int MaxPeers = 1024;
    private const int MaxAnswersWaiting = 32;

    private readonly Dictionary<PeerAddress, RelayedPeer> _peers = [];
    private readonly ConcurrentQueue<RelayedPeer> _ended = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Channel<DatagramAnswer> _answers = Channel.CreateBounded<DatagramAnswer>(MaxAnswersWaiting);
    private Bell? _bell;

    public override void OnOpen(DatagramTurn turn) => _bell = turn.Bell;

    public override void OnDatagram(Datagram datagram, DatagramTurn turn)
    {
        if (!_peers.TryGetValue(datagram.From, out RelayedPeer? peer))
        {
            if (_peers.Count == MaxPeers)
            {
                ends.DatagramLost();
                return;
            }

            peer = new RelayedPeer(datagram.From, datagram.To, SendAsync);
            _peers.Add(datagram.From, peer);
            _ = Task.Run(() => RelayAsync(peer));
        }

        if (peer.TryTake(datagram.Bytes))
        {
            turn.CountRequests(1);
        }
        else
        {
            ends.DatagramLost();
        }
    }

    public override void OnRing(DatagramTurn turn)
    {
        while (_ended.TryDequeue(out RelayedPeer? peer))
        {
            _peers.Remove(peer.Address);
        }

        for (int i = 0; i < MaxAnswersWaiting && _answers.Reader.TryRead(out DatagramAnswer answer); i++)
        {
            turn.Output.Write(answer.Bytes.Span);
            turn.SendTo(answer.Peer, answer.Local);
        }

        if (_answers.Reader.TryPeek(out _))
        {
            _bell!.Ring();
        }
    }

    public override void OnClosed(CloseReason reason)
    {
        _answers.Writer.TryComplete();
        _closed.Cancel();
    }

    private async Task RelayAsync(RelayedPeer peer)
    {
        await ends.RelayAsync(
            new FramedEnd(peer.Address.ToString(), new FramedDatagrams(peer, framing)), idle, _closed.Token);
        _ended.Enqueue(peer);
        _bell!.Ring();
    }

    private async ValueTask SendAsync(DatagramAnswer answer, CancellationToken cancellation)
    {
        try
        {
            await _answers.Writer.WriteAsync(answer, cancellation);
        }
        catch (ChannelClosedException closed)
        {
            throw new OperationCanceledException("the socket is closed", closed);
        }

        _bell!.Ring();
    }
}
