using System.Net.Sockets;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>Waits for datagrams at many sockets and receives them; for one thread.</summary>
internal interface IArrivals : IDisposable
{
    /// <param name="socket">Waits at it from now on, until it is closed.</param>
    /// <param name="token">Names it; of no other socket that is open.</param>
    void Watch(Socket socket, int token);

    void Forget(int token);

    /// <summary>Waits at most so long, not at all with 0.</summary>
    /// <returns>How many sockets have something; <see cref="TokenOf"/> tells which.</returns>
    int Wait(TimeSpan most);

    int TokenOf(int index);

    /// <summary>Receives what is there, at most a batch, without waiting.</summary>
    /// <returns>How many came. If none did, <paramref name="error"/> says why.</returns>
    int Receive(Socket socket, out SocketError error);

    /// <summary>A datagram of the last batch.</summary>
    ReadOnlySpan<byte> BytesOf(int index);

    PeerAddress PeerOf(int index);
}
