namespace Doorbell.Options;

/// <summary>
/// Refuses limits of what a server's doors never have: those of connections where there are datagrams alone, and the other way round. A
/// limit of the whole server has to reach one of its doors; a limit of a door has to reach that one. Limits that a service brings along
/// are not asked for here, since it may be served over both.
/// </summary>
internal static class LimitReach
{
    private const string Connections = "serves datagrams, which know no connections";
    private const string Datagrams = "serves connections, and no datagrams";
    private const string UnixPeers = "serves a unix socket, whose peers have no addresses to count by, and none to forge";

    /// <exception cref="ArgumentException">A limit reaches no door.</exception>
    public static void Require(ServerOptions options)
    {
        foreach (DoorOptions door in options.AllDoors.Where(static door => !door.Endpoint.IsPassed))
        {
            RequireOf(door);
        }

        // A socket that was passed may be of any kind.
        IReadOnlyList<DoorOptions> doors = options.ServedDoors;
        if (doors.Any(static door => door.Endpoint.IsPassed))
        {
            return;
        }

        string endpoints = string.Join(", ", doors.Select(static door => door.Endpoint));
        if (!doors.Any(static door => door.Endpoint.IsStream))
        {
            Refuse(OfStreams(options.StreamLimits), endpoints, Connections);
            Refuse(OfConnections(options, doors.Any(static door => door.Service.Program is not null)), endpoints, Connections);
        }
        else if (options.MaxConnectionsPerAddress != int.MaxValue && doors.All(IsUnixOrDatagram))
        {
            Refuse("ServerOptions.MaxConnectionsPerAddress has", endpoints, UnixPeers);
        }
    }

    private static void RequireOf(DoorOptions door)
    {
        DoorLimits limits = door.Limits;
        string endpoint = door.Endpoint.ToString();
        if (door.Endpoint.IsStream)
        {
            Refuse(OfDatagrams(limits), endpoint, Datagrams);
        }
        else
        {
            Refuse(OfStreams(limits), endpoint, Connections);
            bool counts = limits.MaxConnections is null || door.Service.Program is not null;
            Refuse(counts ? null : "DoorLimits.MaxConnections has", endpoint, Connections);
            Refuse(limits.MaxConnectionsPerAddress is null ? null : "DoorLimits.MaxConnectionsPerAddress has", endpoint, Connections);
            RequireKnownToProgram(door, endpoint);
        }

        if (door.Endpoint.IsUnix)
        {
            Refuse(limits.MaxConnectionsPerAddress is null ? null : "DoorLimits.MaxConnectionsPerAddress has", endpoint, UnixPeers);
            Refuse(limits.MaxAmplification is null or 0 ? null : "DoorLimits.MaxAmplification has", endpoint, UnixPeers);
        }
    }

    /// <summary>A program for each datagram gives one answer and opens no socket through us.</summary>
    private static void RequireKnownToProgram(DoorOptions door, string endpoint)
    {
        if (door.Service.Program is not null)
        {
            const string OneAnswer = "serves a program, which gives each datagram one answer and opens its sockets itself";
            Refuse(door.Limits.MaxAnswersPerTurn is null ? null : "DoorLimits.MaxAnswersPerTurn has", endpoint, OneAnswer);
            Refuse(door.Limits.MaxOpenedSockets is null ? null : "DoorLimits.MaxOpenedSockets has", endpoint, OneAnswer);
        }
    }

    private static bool IsUnixOrDatagram(DoorOptions door) => door.Endpoint.IsUnix || !door.Endpoint.IsStream;

    /// <summary>The first that is asked for; null if none is.</summary>
    private static string? OfStreams(StreamLimitOverrides? limits) => limits switch
    {
        null => null,
        { MaxMessageBytes: not null } => "StreamLimits.MaxMessageBytes has",
        { OutputHighMark: not null } => "StreamLimits.OutputHighMark has",
        { MaxPendingOutput: not null } => "StreamLimits.MaxPendingOutput has",
        { IdleTimeout: not null } => "StreamLimits.IdleTimeout has",
        { FirstByteTimeout: not null } => "StreamLimits.FirstByteTimeout has",
        { OpeningTimeout: not null } => "StreamLimits.OpeningTimeout has",
        { MaxLifetime: not null } => "StreamLimits.MaxLifetime has",
        { MinDataRate: not null } => "StreamLimits.MinDataRate has",
        { MinDataRateGrace: not null } => "StreamLimits.MinDataRateGrace has",
        { CloseTimeout: not null } => "StreamLimits.CloseTimeout has",
        { MaxStepsPerRound: not null } => "StreamLimits.MaxStepsPerRound has",
        _ => null,
    };

    /// <param name="options">What is asked for.</param>
    /// <param name="hasProcesses">A program has a process for each datagram, and those are counted.</param>
    private static string? OfConnections(ServerOptions options, bool hasProcesses) =>
        options.AsksForMaxConnections && !hasProcesses ? "ServerOptions.MaxConnections has"
        : options.MaxConnectionsPerAddress != int.MaxValue ? "ServerOptions.MaxConnectionsPerAddress has"
        : options.RefusalLine is not null ? "ServerOptions.RefusalLine has"
        : options.AsksForAtLimit ? "ServerOptions.AtLimit has"
        : options.ListenBacklog is not null ? "ServerOptions.ListenBacklog has"
        : options.BoundsBufferedBytes ? "ServerOptions.MaxBufferedBytes has"
        : null;

    private static string? OfDatagrams(DoorLimits limits) => limits switch
    {
        { MaxDatagramBytes: not null } => "DoorLimits.MaxDatagramBytes has",
        { MaxAmplification: not null } => "DoorLimits.MaxAmplification has",
        { LoopGuardAnswers: not null } => "DoorLimits.LoopGuardAnswers has",
        { MaxAnswersPerTurn: not null } => "DoorLimits.MaxAnswersPerTurn has",
        { MaxOpenedSockets: not null } => "DoorLimits.MaxOpenedSockets has",
        _ => null,
    };

    private static void Refuse(string? limit, string endpoints, string why)
    {
        if (limit is not null)
        {
            throw new ArgumentException($"{limit} no effect at {endpoints}, which {why}. Leave it out.");
        }
    }
}
