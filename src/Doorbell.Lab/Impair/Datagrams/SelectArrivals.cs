using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>On any system: select, which looks at every socket each time, and one datagram a call.</summary>
internal sealed class SelectArrivals : IArrivals
{
    /// <summary>The longest wait: how late it may hear that it is to stop.</summary>
    private static readonly TimeSpan _maxWait = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<int, Socket> _watched = [];
    private readonly Dictionary<Socket, int> _tokens = [];
    private readonly List<Socket> _readable = [];
    private readonly List<Socket> _refused = [];
    private readonly List<int> _ready = [];
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ushort.MaxValue, pinned: true);
    private int _count;
    private PeerAddress _peer;

    public void Watch(Socket socket, int token)
    {
        _watched.Add(token, socket);
        _tokens.Add(socket, token);
    }

    public void Forget(int token)
    {
        if (_watched.Remove(token, out Socket? socket))
        {
            _tokens.Remove(socket);
        }
    }

    public void Run(Action<int> ready, Func<TimeSpan, TimeSpan> round, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            TimeSpan now = MonotonicClock.Now;
            TimeSpan next = round(now);
            Wait(next > now + _maxWait ? _maxWait : next > now ? next - now : TimeSpan.Zero);
            _ready.ForEach(ready);
        }
    }

    public int Receive(Socket socket, out SocketError error)
    {
        SocketAddress from = new(socket.AddressFamily);
        error = SocketError.WouldBlock;
        try
        {
            // To be told by an exception that none waits would cost more than to ask first.
            if (!socket.Poll(0, SelectMode.SelectRead) && !socket.Poll(0, SelectMode.SelectError))
            {
                return 0;
            }

            _count = socket.ReceiveFrom(_buffer, SocketFlags.None, from);
            _peer = SocketAddressCodec.Read(from);
            error = SocketError.Success;
            return 1;
        }
        catch (SocketException failure)
        {
            error = failure.SocketErrorCode;
            return 0;
        }
    }

    public ReadOnlySpan<byte> BytesOf(int index) => _buffer.AsSpan(0, _count);

    public PeerAddress PeerOf(int index) => _peer;

    public uint? DropsOf(Socket socket) => null;

    public void Dispose() => _watched.Clear();

    private void Wait(TimeSpan most)
    {
        // A refusal makes a socket not readable, but ends each wait until it has been heard.
        _readable.Clear();
        _readable.AddRange(_watched.Values);
        _refused.Clear();
        _refused.AddRange(_watched.Values);
        Socket.Select(_readable, checkWrite: null, _refused, (int)most.TotalMicroseconds);
        _ready.Clear();
        _ready.AddRange(_readable.Union(_refused).Select(socket => _tokens[socket]));
    }
}
