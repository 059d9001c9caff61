using Doorbell.Engines;

namespace Doorbell.Lab.Load;

/// <summary>A load over streams: its connections are carried by one event loop.</summary>
internal sealed class StreamLoad : LoadRun
{
    /// <summary>So many connects are under way at once: more would only fill the server's backlog.</summary>
    private const int MaxConnecting = 64;

    /// <summary>Of connections that are closing while others take their place.</summary>
    private const int MaxClosing = 4096;

    /// <summary>A sleep counts in milliseconds, rounded up: so much before a request is due it is waited for awake.</summary>
    private static readonly long _awake = Nanoseconds.Of(TimeSpan.FromMilliseconds(1));

    private static readonly long _pause = Nanoseconds.Of(TimeSpan.FromMilliseconds(100));

    private readonly ConnectOptions _connect;
    private ClientLoop? _loop;
    private readonly Place[] _places;

    /// <summary>Those that have room for a question, in turn.</summary>
    private readonly Queue<Place> _free;
    private readonly Queue<Place> _broken = new();
    private long _beganOpening;
    private int _next;
    private int _settled;
    private int _connecting;
    private int _open;
    private bool _hasOpened;

    public StreamLoad(LoadOptions options)
        : base(options)
    {
        _connect = new ConnectOptions
        {
            Timeout = options.Timeout,
            Transport = options.Client,
            Limits = new StreamLimits
            {
                OutputHighMark = int.MaxValue,
                MaxPendingOutput = int.MaxValue,
                IdleTimeout = System.Threading.Timeout.InfiniteTimeSpan,
                FirstByteTimeout = System.Threading.Timeout.InfiniteTimeSpan,
                CloseTimeout = TimeSpan.FromSeconds(1),
            },
        };
        _places = [.. Enumerable.Range(0, options.Connections).Select(asker => new Place(this, asker))];
        _free = new Queue<Place>(options.Connections);
    }

    protected override bool IsReady => _settled == _places.Length;

    protected override int Open => _open;

    public override void Dispose() => _loop?.Dispose();

    protected override void RunLoop()
    {
        _loop = new ClientLoop((2 * Options.Connections) + MaxClosing, Options.Reconnect, OnRound);
        _loop.Run();
    }

    protected override void Ask(long now)
    {
        _beganOpening = _beganOpening == 0 ? now : _beganOpening;
        while (_next < _places.Length && _connecting < MaxConnecting && OpensAt(_next) <= now)
        {
            Reopen(_places[_next++], now);
        }

        while (_broken.TryPeek(out Place? broken) && broken.OpenAgainAt <= now && _connecting < MaxConnecting)
        {
            Reopen(_broken.Dequeue(), now);
        }

        while (_free.Count > 0 && Schedule.Next <= now)
        {
            AskOne(_free.Dequeue(), now);
        }
    }

    protected override void GiveUp(long now, bool all)
    {
        long latest = now - Nanoseconds.Of(Options.Timeout);
        foreach (Place place in _places)
        {
            if (place.Connection is { UnderWay: > 0 } connection && (all || connection.ProgressAt < latest))
            {
                connection.GiveUp("timeout");
            }
        }
    }

    protected override void Close(bool first)
    {
        if (first)
        {
            _loop!.Drain();
        }
        else
        {
            _loop!.Abort();
        }
    }

    private TimeSpan OnRound(TimeSpan time)
    {
        long now = Nanoseconds.Now;
        long next = Round(now);
        if (_free.Count > 0 && Schedule.Next < next)
        {
            next = Schedule.Next - _awake;
        }

        return next <= now ? TimeSpan.Zero : Nanoseconds.ToTime(next);
    }

    private long OpensAt(int number) =>
        _beganOpening + (long)(Options.Ramp.TotalNanoseconds * number / Math.Max(_places.Length, 1));

    /// <summary>Opens a place's connection. If each question has its own, the place is free for a question.</summary>
    private void Reopen(Place place, long now)
    {
        if (Options.Reconnect)
        {
            Settle(place);
            Free(place);
        }
        else
        {
            Connect(place, new LoadConnection(State, place, _connect), now);
        }
    }

    private void Connect(Place place, LoadConnection connection, long now)
    {
        place.Connection = connection;
        _connecting++;
        _loop!.Connect(connection.Request, Nanoseconds.ToTime(now));
    }

    private void AskOne(Place place, long now)
    {
        place.IsQueued = false;
        if (Options.Reconnect)
        {
            _ = Schedule.TryTake(now, out long due);
            LoadConnection opened = new(State, place, _connect);
            opened.Take(due, now);
            Connect(place, opened, now);
        }
        else if (place.Connection is { IsOpen: true, HasRoom: true } connection && Schedule.TryTake(now, out long since))
        {
            connection.Take(since, now);
            connection.Ring();
            if (connection.HasRoom)
            {
                Free(place);
            }
        }
    }

    private void Free(Place place)
    {
        if (!place.IsQueued)
        {
            place.IsQueued = true;
            _free.Enqueue(place);
        }
    }

    private void Settle(Place place)
    {
        if (!place.IsSettled)
        {
            place.IsSettled = true;
            _settled++;
        }
    }

    private sealed class Place(StreamLoad load, int asker) : LoadPlace(asker)
    {
        /// <summary>The connection that is open, or being opened; null for none.</summary>
        public LoadConnection? Connection { get; set; }

        /// <summary>It stands in the queue of those that have room for a question.</summary>
        public bool IsQueued { get; set; }

        /// <summary>It has been opened once, or has failed to be.</summary>
        public bool IsSettled { get; set; }

        /// <summary>When it is to be opened again after a failure.</summary>
        public long OpenAgainAt { get; private set; }

        public override void Opened(bool hasRoom)
        {
            load._hasOpened = true;
            load._open++;
            load._connecting--;
            load.Settle(this);
            if (hasRoom)
            {
                load.Free(this);
            }
        }

        public override void Freed() => load.Free(this);

        public override void Done()
        {
            Connection = null;
            load.Free(this);
        }

        public override void Closed(bool wasOpen)
        {
            load._open -= wasOpen ? 1 : 0;
            load._connecting -= wasOpen ? 0 : 1;
        }

        public override void Broken(int lost, string? notConnected, string kind)
        {
            Connection = null;
            if (notConnected is not null && !load._hasOpened && load.IsAsking)
            {
                load.Failure ??= notConnected;
            }

            if (load.CountsLost)
            {
                load.Tally.Failed(kind, lost);
            }

            load.Settle(this);
            OpenAgainAt = Nanoseconds.Now + _pause;
            load._broken.Enqueue(this);
        }
    }
}
