using System.Net;
using System.Net.Sockets;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Links;
using Doorbell.Options;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>
/// Takes datagrams from clients to an upstream and its answers back, each when and if the <see cref="Link"/> of its direction says. All
/// of it on one thread.
/// </summary>
internal sealed class DatagramProxy : ImpairProxy
{
    /// <summary>Of the sockets that clients send to, and of each client's own. The kernel gives memory for what waits only.</summary>
    private const int DoorBufferBytes = 4 * 1024 * 1024;
    private const int ClientBufferBytes = 1024 * 1024;

    /// <summary>At the end: so many batches of a socket's are carried yet, or those who send on would keep it from ending.</summary>
    private const int MaxLastBatches = 1024;

    /// <summary>How often what passed is told to other threads.</summary>
    private static readonly TimeSpan _publishEvery = TimeSpan.FromMilliseconds(250);

    private readonly List<DoorSocket> _doors;
    private readonly EndPoint _upstreamAddress;
    private readonly IArrivals _arrivals = OperatingSystem.IsLinux() ? new EpollArrivals() : new SelectArrivals();
    private readonly DeliveryQueue _queue = new();
    private readonly DatagramWay _up;
    private readonly DatagramWay _down;
    private readonly ClientTable _clients;
    private readonly ReceiveBuffer[] _doorBuffers;
    private readonly List<ReceiveBuffer> _received = [];
    private int _lastToken;
    private long _refused;
    private bool _saidRefused;

    /// <summary>When what has passed is told next; <see cref="TimeSpan.MaxValue"/> if nothing has.</summary>
    private TimeSpan _publishAt = TimeSpan.MaxValue;

    private DatagramProxy(ImpairOptions options, List<DoorSocket> doors, EndPoint upstreamAddress)
        : base(options)
    {
        _doors = doors;
        _upstreamAddress = upstreamAddress;
        _up = new DatagramWay("up", options.Faults.Up, options.Seed);
        _down = new DatagramWay("down", options.Faults.Down, ~options.Seed);
        using (Socket trial = Connector.ConnectDatagrams(options.Upstream, upstreamAddress))
        {
            // Only to learn at once that there is a way to it.
            if (!trial.Connected)
            {
                throw new ArgumentException(
                    $"ImpairOptions.Upstream is many peers, {options.Upstream}, who answer from other addresses: name one");
            }
        }

        _clients = new ClientTable(ClientTable.DefaultMost, Forgotten);
        _doorBuffers = [.. doors.Select(door => new ReceiveBuffer(door.Socket, _up))];
        for (int door = 0; door < doors.Count; door++)
        {
            // Doors have the tokens from 0 on, clients those behind.
            _doorBuffers[door].Enlarge(DoorBufferBytes);
            doors[door].Socket.Blocking = false;
            _arrivals.Watch(doors[door].Socket, door);
        }

        _lastToken = doors.Count - 1;
    }

    public override IReadOnlyList<Endpoint> Endpoints => [.. _doors.Select(static bound => bound.Door.Endpoint)];

    public override string Unit => "datagrams";

    /// <summary>Binds, and looks for the upstream.</summary>
    /// <exception cref="NetworkException">The endpoint can't be bound, or there is no way to the upstream.</exception>
    public static async Task<DatagramProxy> BindAsync(ImpairOptions options, EndPoint upstreamAddress, CancellationToken cancellation)
    {
        // What binds a server's sockets binds these; the service is asked for no more than that it speaks the transport.
        DoorOptions listening = new() { Endpoint = options.Listen, Service = ClassicServices.Echo };
        Binding binding = new([listening], ListenOptions.Default, ServerModel.Async, takeover: null, mayLeaveDoors: false);
        List<DoorSocket> doors = await binding.BindAllAsync(cancellation).ConfigureAwait(false);
        try
        {
            return new DatagramProxy(options, doors, upstreamAddress);
        }
        catch
        {
            doors.ForEach(static door => door.Close());
            throw;
        }
    }

    public override WayReading ReadUp() => _up.Reading;

    public override WayReading ReadDown() => _down.Reading;

    public override IReadOnlyList<(string Name, long Count)> ReadOthers() =>
    [
        ("Clients", _clients.Seen), ("ClientsEvicted", _clients.Evicted), ("Refused", Volatile.Read(ref _refused)),
    ];

    public override ValueTask DisposeAsync()
    {
        _clients.Dispose();
        _arrivals.Dispose();
        _doors.ForEach(static door => door.Close());
        return ValueTask.CompletedTask;
    }

    /// <summary>Carries datagrams until it is stopped.</summary>
    private protected override Task CarryAsync(CancellationToken stop) =>
        Task.Factory.StartNew(() => Run(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stop)
    {
        _arrivals.Run(ReceiveBatch, OnRound, stop);
        ReceiveLast();
        DeliverDue(MonotonicClock.Now);
        _queue.CountWaiting();
        Publish();
    }

    private TimeSpan OnRound(TimeSpan now)
    {
        DeliverDue(now);
        _clients.Tick(now);
        if (now >= _publishAt)
        {
            Publish();
        }

        TimeSpan next = _queue.NextAt < _publishAt ? _queue.NextAt : _publishAt;
        return _clients.NextTick < next ? _clients.NextTick : next;
    }

    /// <summary>What has come before the end is carried, if it is due at once, or counted.</summary>
    private void ReceiveLast()
    {
        int[] tokens = [.. Enumerable.Range(0, _doors.Count), .. _clients.All.Select(static client => client.Token)];
        foreach (int token in tokens)
        {
            for (int batch = 0; batch < MaxLastBatches && ReceiveOnce(token) > 0; batch++)
            {
                // The next batch.
            }
        }
    }

    private void Publish()
    {
        _publishAt = TimeSpan.MaxValue;
        _received.ForEach(buffer => buffer.CountDrops(_arrivals));
        _received.Clear();
        _up.Publish();
        _down.Publish();
    }

    private void Forgotten(ImpairedClient client)
    {
        client.Buffer.CountDrops(_arrivals);
        _arrivals.Forget(client.Token);
    }

    private void ReceiveBatch(int token) => ReceiveOnce(token);

    /// <summary>Takes a batch of a socket's datagrams.</summary>
    /// <returns>How many they were.</returns>
    private int ReceiveOnce(int token)
    {
        // A client may have been forgotten, and its socket closed, since the wait named it.
        ImpairedClient? client = token >= _doors.Count ? _clients.Find(token) : null;
        if (token >= _doors.Count && client is null)
        {
            return 0;
        }

        Socket socket = client?.Upstream ?? _doors[token].Socket;
        int count = _arrivals.Receive(socket, out SocketError error);
        if (client is not null && error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            NoteRefusal(error);
        }

        // One reading of the clock for all that had come by now.
        TimeSpan now = MonotonicClock.Now;
        HasReceived(client?.Buffer ?? _doorBuffers[token], now);
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

        return count;
    }

    private void HasReceived(ReceiveBuffer buffer, TimeSpan now)
    {
        NoteChange(now);
        if (!buffer.HasReceived)
        {
            buffer.HasReceived = true;
            _received.Add(buffer);
        }
    }

    private void NoteChange(TimeSpan now) => _publishAt = _publishAt == TimeSpan.MaxValue ? now + _publishEvery : _publishAt;

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
            ReceiveBuffer buffer = new(upstream, _down);
            buffer.Enlarge(ClientBufferBytes);
            ImpairedClient client = new(door, address, upstream, ++_lastToken, buffer, _lastToken - _doors.Count);
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
        LinkFate fate = client is not null && way.Spares(Options.Seed, client.Number)
            ? way.Pass(now)
            : way.Next(now, bytes.Length);
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
            NoteChange(now);
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
