using Doorbell.Sockets;

namespace Doorbell.Serving;

/// <summary>
/// The way to the kernel: runs the lanes of a server model over sockets that are bound already. docs/internals.md says what a new engine
/// takes.
/// </summary>
internal interface IEngine
{
    /// <summary>As the command line and the start-up lines name it.</summary>
    string Name { get; }

    /// <summary>Whether it starts processes, as services that are programs need.</summary>
    bool StartsProcesses { get; }

    /// <summary>Why this engine can't run <paramref name="model"/> here, in one line; null if it can.</summary>
    string? Refuses(ServerModel model);

    /// <summary>Serves listeners and datagram sockets until the drain is over; owns the sockets and closes them.</summary>
    /// <returns>Ends when the last connection has.</returns>
    Task ServeAsync(IReadOnlyList<DoorSocket> sockets, ServerContext context);
}
