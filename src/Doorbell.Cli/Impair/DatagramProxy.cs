using System.Net;
using System.Net.Sockets;

namespace Doorbell.Cli.Impair;

/// <summary>
/// Takes datagrams from clients to an upstream and its answers back, each when and if the <see cref="Link"/> of its direction says. All
/// of it on the thread that calls <see cref="Run"/>.
/// </summary>
internal sealed class DatagramProxy : IDisposable
{
    private const int LargestDatagram = 65_535;

    /// <summary>So many from one socket, then the others have their turn.</summary>
    private const int DatagramsPerTurn = 32;

    /// <summary>The longest wait: how late it may hear that it is to stop.</summary>
    private static readonly TimeSpan _longestWait = TimeSpan.FromMilliseconds(100);

    private readonly IReadOnlyList<BoundSocket> _doors;
    private readonly Endpoint _upstream;
    private readonly EndPoint _upstreamAddress;
    private readonly DeliveryQueue _queue = new();
    private readonly List<Socket> _readable = [];
    private readonly List<Socket> _refused = [];
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(LargestDatagram, pinned: true);
    private bool _saidRefused;

    /// <param name="doors">Where clients send to; closed with this.</param>
    /// <param name="upstream">Whom they mean, to name in errors.</param>
    /// <param name="upstreamAddress">Its address.</param>
    /// <param name="up">From clients to the upstream.</param>
    /// <param name="down">Back.</param>
    public DatagramProxy(
        IReadOnlyList<BoundSocket> doors, Endpoint upstream, EndPoint upstreamAddress, ImpairedWay up, ImpairedWay down)
    {
        _doors = doors;
        _upstream = upstream;
        _upstreamAddress = upstreamAddress;
        Up = up;
        Down = down;
        foreach (BoundSocket door in doors)
        {
            door.Socket.Blocking = false;
        }
    }

    public ImpairedWay Up { get; }

    public ImpairedWay Down { get; }

    public ClientTable Clients { get; } = new(ClientTable.DefaultMost);

    /// <summary>How often the upstream's host answered that nobody listens there.</summary>
    public long Refused { get; private set; }

    /// <summary>Carries datagrams until it is stopped.</summary>
    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            WaitForDatagrams();
            _readable.ForEach(ReceiveSome);
            _refused.ForEach(ReceiveSome);
            DeliverDue();
            Clients.Tick(MonotonicClock.Now);
        }

        _queue.CountWaiting();
    }

    public void Dispose()
    {
        Clients.Dispose();
        foreach (BoundSocket door in _doors)
        {
            door.Close();
        }
    }

    /// <summary>Until one comes or one's time does. Select counts whole milliseconds, so the last one is waited for awake.</summary>
    private void WaitForDatagrams()
    {
        TimeSpan wait = _queue.NextAt == TimeSpan.MaxValue ? _longestWait : _queue.NextAt - MonotonicClock.Now;
        wait = wait > _longestWait ? _longestWait : wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
        _readable.Clear();
        _readable.AddRange(_doors.Select(static door => door.Socket));
        _readable.AddRange(Clients.Upstreams);

        // A refusal makes a socket not readable, but ends each wait until it has been heard.
        _refused.Clear();
        _refused.AddRange(Clients.Upstreams);
        Socket.Select(_readable, checkWrite: null, _refused, (int)wait.TotalMicroseconds);
    }

    private void ReceiveSome(Socket socket)
    {
        bool isDoor = _doors.Any(door => door.Socket == socket);
        for (int i = 0; i < DatagramsPerTurn; i++)
        {
            // A client may have been forgotten, and its socket closed, since Select named it.
            if (isDoor ? !ReceiveFromClient(socket) : Clients.Find(socket) is not { } client || !ReceiveFromUpstream(client))
            {
                return;
            }

            DeliverDue();
        }
    }

    /// <summary>Whether there may be more.</summary>
    private bool ReceiveFromClient(Socket door)
    {
        SocketAddress from = new(door.AddressFamily);
        int count;
        try
        {
            // To be told by an exception that none waits would cost more than to ask first.
            if (!door.Poll(0, SelectMode.SelectRead))
            {
                return false;
            }

            count = door.ReceiveFrom(_buffer, SocketFlags.None, from);
        }
        catch (SocketException)
        {
            // Of an answer sent earlier (udp(7)), or a datagram whose checksum was wrong: there is none to carry.
            return false;
        }

        TimeSpan now = MonotonicClock.Now;
        ImpairedClient? client = Clients.Find(door, from);
        if (client is null)
        {
            client = Welcome(door, from, now);
        }
        else
        {
            Clients.Use(client, now);
        }

        Carry(Up, client, count, now);
        return true;
    }

    /// <summary>Whether there may be more.</summary>
    private bool ReceiveFromUpstream(ImpairedClient client)
    {
        int count = client.Upstream.Receive(_buffer, SocketFlags.None, out SocketError error);
        switch (error)
        {
            case SocketError.Success:
                TimeSpan now = MonotonicClock.Now;
                Clients.Use(client, now);
                Carry(Down, client, count, now);
                return true;
            case SocketError.ConnectionRefused or SocketError.ConnectionReset:
                NoteRefusal(error);
                return true;
            default:
                return false;
        }
    }

    private void NoteRefusal(SocketError error)
    {
        Refused++;
        if (!_saidRefused)
        {
            _saidRefused = true;
            Failure.Say(NetworkException.From("send", _upstream.ToString(), error).Message);
        }
    }

    /// <summary>A new client; null if the system has no socket for it.</summary>
    private ImpairedClient? Welcome(Socket door, SocketAddress address, TimeSpan now)
    {
        Clients.MakeRoom();
        try
        {
            Socket upstream = Connector.ConnectDatagrams(_upstream, _upstreamAddress);
            upstream.Blocking = false;
            ImpairedClient client = new(door, address, upstream);
            Clients.Add(client, now);
            return client;
        }
        catch (NetworkException)
        {
            return null;
        }
    }

    private void Carry(ImpairedWay way, ImpairedClient? client, int count, TimeSpan now)
    {
        LinkFate fate = way.Link.Next(now, count);
        if (fate.IsDropped)
        {
            return;
        }

        if (client is null)
        {
            way.NoClient += fate.Arrivals;
            return;
        }

        byte[] bytes = _buffer.AsSpan(0, count).ToArray();
        fate.Apply(bytes);
        _queue.TryAdd(new Delivery(way, client, bytes), fate.ArrivesAt);
        if (fate.CopyArrivesAt is { } copyAt)
        {
            _queue.TryAdd(new Delivery(way, client, bytes), copyAt);
        }
    }

    private void DeliverDue()
    {
        while (_queue.TryTake(MonotonicClock.Now, out Delivery due))
        {
            if (due.Client.IsForgotten)
            {
                due.Way.NoClient++;
            }
            else if (due.Way == Up ? SendUp(due) : SendDown(due))
            {
                due.Way.Forwarded++;
            }
            else
            {
                due.Way.SendFailed++;
            }
        }
    }

    private bool SendUp(Delivery due)
    {
        due.Client.Upstream.Send(due.Bytes, SocketFlags.None, out SocketError error);
        if (error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // That was of an earlier datagram (udp(7)); told, it is no longer in this one's way.
            NoteRefusal(error);
            due.Client.Upstream.Send(due.Bytes, SocketFlags.None, out error);
        }

        return error == SocketError.Success;
    }

    private static bool SendDown(Delivery due)
    {
        try
        {
            due.Client.Door.SendTo(due.Bytes, SocketFlags.None, due.Client.Address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
