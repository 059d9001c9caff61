using Doorbell.Testing;
using Doorbell.Tls;

namespace Doorbell.Tests;

/// <summary>A client and a server that speak TLS in memory: what one sends the test carries to the other, cut as it likes.</summary>
internal sealed class TlsPair
{
    private int _carriedUp;
    private int _carriedDown;

    public TlsPair(
        StreamHandler server, StreamHandler client, TlsServer? serverTls = null, TlsClientOptions? options = null, int seed = 1)
    {
        ServerTls = serverTls ?? new TlsServer(new TlsServerOptions { Certificates = [Certificate] });
        TlsClient tls = new("tcp://localhost:1", options ?? new TlsClientOptions { Pins = [Certificate.Fingerprint] });
        Server = new InMemoryConnection(server, seed, layers: [ServerTls.NewLayer]);
        Client = new InMemoryConnection(client, seed, layers: [tls.NewLayer]);
    }

    /// <summary>For localhost and any name below test.example.</summary>
    public static TlsCertificate Certificate { get; } = TlsCertificate.SelfSigned("localhost", "127.0.0.1", "*.test.example");

    public TlsServer ServerTls { get; }

    public InMemoryConnection Server { get; }

    public InMemoryConnection Client { get; }

    /// <summary>Carries all that there is, both ways, until nobody sends.</summary>
    /// <param name="most">Bytes at once.</param>
    public void Carry(int most = int.MaxValue)
    {
        do
        {
            Client.Run();
            Server.Run();
        }
        while (Carry(Client, Server, ref _carriedUp, most) | Carry(Server, Client, ref _carriedDown, most));
    }

    /// <summary>The ends too.</summary>
    public void CarryEnds()
    {
        for (int round = 0; round < 3; round++)
        {
            Carry();
            End(Client, Server);
            End(Server, Client);
        }

        Carry();
    }

    private static void End(InMemoryConnection from, InMemoryConnection to)
    {
        if (from.ServerFinished || from.Ended is not null)
        {
            to.PeerEnds();
        }
    }

    private static bool Carry(InMemoryConnection from, InMemoryConnection to, ref int carried, int most)
    {
        ReadOnlySpan<byte> sent = from.PeerReceived[carried..];
        sent = sent[..Math.Min(sent.Length, most)];
        carried += sent.Length;
        to.PeerSends(sent);
        return sent.Length > 0;
    }
}
