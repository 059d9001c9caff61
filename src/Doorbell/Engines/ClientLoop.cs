using Doorbell.Lanes;
using Doorbell.Lanes.Loops;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell.Engines;

/// <summary>
/// An event loop that carries connections of our own and no others: many clients on one thread, without a server. It is the lane that
/// carries a server's connections, without listeners: on io_uring where there is one, otherwise on epoll. The thread that makes it
/// runs it. Linux alone.
/// </summary>
internal sealed class ClientLoop : IDisposable
{
    private readonly Shutdown _shutdown = new();
    private readonly ShutdownEvents _events;
    private readonly IDisposable _lane;
    private readonly LoopConnector _connector;
    private readonly Action _run;

    /// <param name="maxConnections">So many at once, those that are closing included.</param>
    /// <param name="areShort">
    /// Whether a connection is for little: then it costs more on io_uring than on epoll, which arms nothing for it.
    /// </param>
    /// <param name="eachRound">
    /// Called first in each round on the loop's thread. It may <see cref="Connect"/>, and ring its connections. It returns when the next
    /// round is to be at the latest.
    /// </param>
    /// <exception cref="NetworkException">The system refuses what the loop needs.</exception>
    public ClientLoop(int maxConnections, bool areShort, Func<TimeSpan, TimeSpan> eachRound)
    {
        ServerContext context = NewContext(maxConnections);
        SharedSockets none = new([], lanes: 1);
        _events = new ShutdownEvents(_shutdown);
        try
        {
            if (!areShort && UringEngine.RefusedBecause() is null)
            {
                LoopLane<UringConnection> lane = UringBackend.NewLane(none, context, _events, RingSizes.Default, eachRound);
                (_lane, _connector, _run) = (lane, lane.Connector, lane.Run);
            }
            else
            {
                LoopLane<PolledConnection> lane = EpollBackend.NewLane(none, context, _events, eachRound);
                (_lane, _connector, _run) = (lane, lane.Connector, lane.Run);
            }
        }
        catch
        {
            _events.Dispose();
            throw;
        }
    }

    /// <summary>The loop's thread alone: begins to connect. The request's handler is told of all that comes of it.</summary>
    public void Connect(ConnectRequest request, TimeSpan now) => _connector.Connect(request, now);

    /// <summary>Carries connections until <see cref="Drain"/>, and until all are closed then.</summary>
    /// <exception cref="NetworkException">The system refuses to wait.</exception>
    public void Run() => _run();

    /// <summary>Any thread: connections that are at rest are closed, the others when they are.</summary>
    public void Drain() => _shutdown.Drain();

    /// <summary>Any thread: what is open is reset.</summary>
    public void Abort() => _shutdown.Abort();

    public void Dispose()
    {
        _lane.Dispose();
        _events.Dispose();
        _shutdown.Dispose();
    }

    private ServerContext NewContext(int maxConnections)
    {
        ServerOptions options = new() { MaxOutgoingConnections = maxConnections };
        Admission admission = new(options);
        ServerMemory memory = new(admission.Connections, long.MaxValue, NullLogger.Instance);
        return new ServerContext(options, ServerModel.Loop(1), admission, new Ledger(), _shutdown, NullLogger.Instance)
        {
            Memory = memory,
            Pool = memory.Pool,
            Connections = admission.Connections,
            Outgoing = OutgoingPlaces.Of(options),
        };
    }
}
