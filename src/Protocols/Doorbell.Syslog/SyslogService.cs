namespace Doorbell.Syslog;

/// <summary>Receives messages, over streams and datagrams. It answers nothing.</summary>
public static class SyslogService
{
    /// <summary>A service that gives each message away.</summary>
    /// <param name="take">
    /// Takes a message and who sent it. Lanes call it, several at once, and wait for it: it must be quick.
    /// </param>
    public static Service New(Action<SyslogMessage, PeerAddress> take) => new("syslog")
    {
        NewStreamHandler = _ => new SyslogStreamHandler(take),
        NewDatagramHandler = _ => new SyslogDatagramHandler(take),
        NeedsOneProcess = true,

        // Who logs rarely keeps its connection.
        StreamLimits = StreamLimits.Default with
        {
            IdleTimeout = Timeout.InfiniteTimeSpan, FirstByteTimeout = Timeout.InfiniteTimeSpan,
        },
    };

    private sealed class SyslogStreamHandler(Action<SyslogMessage, PeerAddress> take) : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            if (!SyslogFraming.Instance.TryFind(input, searched: 0, out Frame frame))
            {
                return Step.More(0);
            }

            Take(input.Slice(frame.Start, frame.Length), turn, isCut: false);
            return Step.More(frame.Consumed);
        }

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
        {
            // What was cut off is better than nothing.
            SyslogFraming.Instance.TryFind(rest, searched: 0, out Frame cut);
            Take(rest[Math.Min(cut.Start, rest.Length)..], turn, isCut: cut.Start > 0);
            return Next.Close;
        }

        private void Take(ReadOnlySpan<byte> message, Turn turn, bool isCut)
        {
            if (!message.IsEmpty)
            {
                take(SyslogReader.Read(message) with { IsCut = isCut }, turn.Peer);
                turn.CountRequests(1);
            }
        }
    }

    private sealed class SyslogDatagramHandler(Action<SyslogMessage, PeerAddress> take) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            if (!datagram.Bytes.IsEmpty)
            {
                take(SyslogReader.Read(datagram.Bytes), datagram.From);
            }
        }
    }
}
