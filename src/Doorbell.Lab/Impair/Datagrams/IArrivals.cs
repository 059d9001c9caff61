using System.Net.Sockets;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>Waits for datagrams at many sockets and receives them; for one thread.</summary>
internal interface IArrivals : IDisposable
{
    /// <param name="socket">Waits at it from now on, until it is closed.</param>
    /// <param name="token">Names it; of no other socket that is open. From 0 on.</param>
    void Watch(Socket socket, int token);

    void Forget(int token);

    /// <summary>Runs until it is stopped, on the calling thread.</summary>
    /// <param name="ready">Called with the token of each socket that has something.</param>
    /// <param name="round">
    /// Called after these, and before each sleep; returns when to call it again though nothing comes, <see cref="TimeSpan.MaxValue"/> for
    /// never. A sleep ends before that time, and the rest is waited for awake.
    /// </param>
    /// <param name="stop">Stops it.</param>
    void Run(Action<int> ready, Func<TimeSpan, TimeSpan> round, CancellationToken stop);

    /// <summary>Receives what is there, at most a batch, without waiting.</summary>
    /// <returns>How many came. If none did, <paramref name="error"/> says why.</returns>
    int Receive(Socket socket, out SocketError error);

    /// <summary>A datagram of the last batch.</summary>
    ReadOnlySpan<byte> BytesOf(int index);

    PeerAddress PeerOf(int index);

    /// <summary>
    /// How many datagrams the kernel has dropped at a socket, since its receive buffer was full; it begins anew behind 32 bits. Null where
    /// the system does not tell.
    /// </summary>
    uint? DropsOf(Socket socket);
}
