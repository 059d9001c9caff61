using System.Net;
using System.Net.Sockets;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Links;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>
/// Takes datagrams from clients to an upstream and its answers back, each when and if the <see cref="Link"/> of its direction says. All
/// of it on one thread.
/// </summary>
internal sealed class DatagramProxy : ImpairProxy
{
    /// <summary>The longest wait: how late it may hear that it is to stop.</summary>
    private static readonly TimeSpan _maxWait = TimeSpan.FromMilliseconds(100);

    /// <summary>How often what passed is told to other threads.</summary>
    private static readonly TimeSpan _publishEvery = TimeSpan.FromMilliseconds(100);

    private readonly EndPoint _upstreamAddress;
    private readonly IArrivals _arrivals = OperatingSystem.IsLinux() ? new EpollArrivals() : new SelectArrivals();
    private readonly DeliveryQueue _queue = new();
    private readonly DatagramWay _up;
    private readonly DatagramWay _down;
    private readonly ClientTable _clients;
    private int _lastToken;
    private long _refused;
    private bool _saidRefused;
    private TimeSpan _publishAt;

    /// <param name="options">What to carry, and how.</param>
    /// <param name="doors">Where clients come to.</param>
    /// <param name="upstreamAddress">The upstream's address.</param>
    /// <exception cref="NetworkException">There is no way to it.</exception>
    public DatagramProxy(ImpairOptions options, List<DoorSocket> doors, EndPoint upstreamAddress)
        : base(options, doors)
    {
        _upstreamAddress = upstreamAddress;
        _up = new DatagramWay("up", options.Faults.Up, options.Seed);
        _down = new DatagramWay("down", options.Faults.Down, ~options.Seed);
        using (Connector.ConnectDatagrams(options.Upstream, upstreamAddress))
        {
            // Only to learn at once that there is a way to it.
        }

        _clients = new ClientTable(ClientTable.DefaultMost, client => _arrivals.Forget(client.Token));
        foreach (DoorSocket door in doors)
        {
            // Doors have the tokens -1, -2 and so on; clients 1, 2 and so on.
            door.Socket.Blocking = false;
            _arrivals.Watch(door.Socket, --_lastToken);
        }

        _lastToken = 0;
    }

    public override string Unit => "datagrams";

    public override WayReading ReadUp() => _up.Reading;

    public override WayReading ReadDown() => _down.Reading;

    public override IReadOnlyList<(string Name, long Count)> ReadOthers() =>
    [
        ("Clients", _clients.Seen), ("ClientsEvicted", _clients.Evicted), ("Refused", Volatile.Read(ref _refused)),
    ];

    /// <summary>Carries datagrams until it is stopped.</summary>
    public override Task RunAsync(CancellationToken stop) =>
        Task.Factory.StartNew(() => Run(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _clients.Dispose();
        _arrivals.Dispose();
        base.Dispose(disposing);
    }

    private void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            int ready = _arrivals.Wait(UntilNext());
            for (int i = 0; i < ready; i++)
            {
                ReceiveBatch(_arrivals.TokenOf(i));
            }

            TimeSpan now = MonotonicClock.Now;
            DeliverDue(now);
            _clients.Tick(now);
            PublishDue(now);
        }

        _queue.CountWaiting();
        PublishDue(TimeSpan.MaxValue);
    }

    /// <summary>Whole milliseconds are waited for asleep, so the last one before a delivery is waited for awake.</summary>
    private TimeSpan UntilNext()
    {
        TimeSpan wait = _queue.NextAt == TimeSpan.MaxValue ? _maxWait : _queue.NextAt - MonotonicClock.Now;
        return wait > _maxWait ? _maxWait : wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private void PublishDue(TimeSpan now)
    {
        if (now >= _publishAt)
        {
            _publishAt = now == TimeSpan.MaxValue ? now : now + _publishEvery;
            _up.Publish();
            _down.Publish();
        }
    }

    private void ReceiveBatch(int token)
    {
        // A client may have been forgotten, and its socket closed, since the wait named it.
        ImpairedClient? client = token > 0 ? _clients.Find(token) : null;
        if (token > 0 && client is null)
        {
            return;
        }

        Socket socket = client?.Upstream ?? Doors[-token - 1].Socket;
        int count = _arrivals.Receive(socket, out SocketError error);
        if (client is not null && error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            NoteRefusal(error);
        }

        // One reading of the clock for all that had come by now.
        TimeSpan now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            if (client is null)
            {
                Carry(_up, ClientOf(socket, _arrivals.PeerOf(i), now), _arrivals.BytesOf(i), now);
            }
            else if (!client.IsForgotten)
            {
                _clients.Use(client, now);
                Carry(_down, client, _arrivals.BytesOf(i), now);
            }
        }
    }

    /// <summary>Null if it is new and the system has no socket for it.</summary>
    private ImpairedClient? ClientOf(Socket door, PeerAddress address, TimeSpan now)
    {
        if (_clients.Find(door, address) is not { } client)
        {
            return Welcome(door, address, now);
        }

        _clients.Use(client, now);
        return client;
    }

    private void NoteRefusal(SocketError error)
    {
        _refused++;
        if (!_saidRefused)
        {
            _saidRefused = true;
            Options.Report?.Invoke(NetworkException.From("send", Options.Upstream.ToString(), error).Message);
        }
    }

    private ImpairedClient? Welcome(Socket door, PeerAddress address, TimeSpan now)
    {
        _clients.MakeRoom();
        Socket? upstream = null;
        try
        {
            upstream = Connector.ConnectDatagrams(Options.Upstream, _upstreamAddress);
            upstream.Blocking = false;
            ImpairedClient client = new(door, address, upstream, ++_lastToken);
            _arrivals.Watch(upstream, client.Token);
            _clients.Add(client, now);
            return client;
        }
        catch (NetworkException)
        {
            upstream?.Dispose();
            return null;
        }
    }

    private void Carry(DatagramWay way, ImpairedClient? client, ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        LinkFate fate = way.Next(now, bytes.Length);
        if (fate.IsDropped)
        {
            return;
        }

        if (client is null)
        {
            way.NoClient += fate.Arrivals;
            return;
        }

        DeliverDue(now);
        if (fate.ArrivesAt <= now && fate.CopyArrivesAt is null && fate.CorruptedBit is null)
        {
            Send(way, client, bytes);
            return;
        }

        byte[] own = bytes.ToArray();
        fate.Apply(own);
        _queue.TryAdd(new Delivery(way, client, own), fate.ArrivesAt);
        if (fate.CopyArrivesAt is { } copyAt)
        {
            _queue.TryAdd(new Delivery(way, client, own), copyAt);
        }
    }

    private void DeliverDue(TimeSpan now)
    {
        while (_queue.TryTake(now, out Delivery due))
        {
            if (due.Client.IsForgotten)
            {
                due.Way.NoClient++;
            }
            else
            {
                Send(due.Way, due.Client, due.Bytes);
            }
        }
    }

    private void Send(DatagramWay way, ImpairedClient client, ReadOnlySpan<byte> bytes)
    {
        if (way == _up ? SendUp(client, bytes) : SendDown(client, bytes))
        {
            way.Forwarded++;
        }
        else
        {
            way.SendFailed++;
        }
    }

    private bool SendUp(ImpairedClient client, ReadOnlySpan<byte> bytes)
    {
        client.Upstream.Send(bytes, SocketFlags.None, out SocketError error);
        if (error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // That was of an earlier datagram (udp(7)); told, it is no longer in this one's way.
            NoteRefusal(error);
            client.Upstream.Send(bytes, SocketFlags.None, out error);
        }

        return error == SocketError.Success;
    }

    private static bool SendDown(ImpairedClient client, ReadOnlySpan<byte> bytes)
    {
        try
        {
            client.Door.SendTo(bytes, SocketFlags.None, client.RawAddress);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
