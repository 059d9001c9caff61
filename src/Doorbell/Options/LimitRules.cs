namespace Doorbell.Options;

/// <summary>Refuses limits that could not act, so that nobody trusts one that is never enforced.</summary>
internal static class LimitRules
{
    /// <exception cref="ArgumentException">A limit that was asked for has no effect under this model, or on a program.</exception>
    public static void RequireEffect(ServerOptions options, ServerModel model)
    {
        LimitReach.Require(options);
        RequireRoomToRefuse(options, model);
        RequireSeveralOfAnAddress(options, model);
        RequireMemoryToBound(options, model);
        foreach (DoorOptions door in options.ServedDoors.Where(static door => door.Service.Program is not null))
        {
            // A socket that was passed may be of any kind.
            if (door.Endpoint.IsStream || door.Endpoint.IsPassed)
            {
                RequireKnownToProgram(door);
            }
        }
    }

    /// <summary>Lanes that carry one connection each leave the rest in the backlog: nobody is there to accept one too many.</summary>
    private static void RequireRoomToRefuse(ServerOptions options, ServerModel model)
    {
        if (options.AtLimit != AtLimit.Close || !IsFixed(options, model))
        {
            return;
        }

        // The workers of a prefork know of each other's connections at doors alone.
        int ofServer = model.Lane == LaneKind.Process ? int.MaxValue : options.MaxConnections;
        int least = options.ServedDoors.Min(door => Math.Min(door.Limits.MaxConnections ?? int.MaxValue, ofServer));
        if (least >= model.Lanes)
        {
            throw new ArgumentException(
                $"ServerOptions.AtLimit can't be Close under the model {model.Name}: it carries {model.Lanes} connections at once and "
                    + "leaves the rest in the backlog, so nobody accepts one too many. Take another model, or leave it out.");
        }
    }

    /// <summary>Lanes that carry one connection each never have more of one address than there are lanes.</summary>
    private static void RequireSeveralOfAnAddress(ServerOptions options, ServerModel model)
    {
        int most = options.MaxConnectionsPerAddress;
        if (most != int.MaxValue && most >= model.Lanes && IsFixed(options, model))
        {
            throw new ArgumentException(
                $"ServerOptions.MaxConnectionsPerAddress has no effect under the model {model.Name}: it never carries more than "
                    + $"{model.Lanes} at once, of all addresses together, and leaves the rest in the backlog. Take another model, or leave "
                    + "it out.");
        }
    }

    private static bool IsFixed(ServerOptions options, ServerModel model) =>
        model is { SessionsPerLane: 1, Lanes: not ServerModel.Many } && options.Services.Any(static of => of.Program is null);

    /// <summary>What a process holds that serves one connection is its own.</summary>
    private static void RequireMemoryToBound(ServerOptions options, ServerModel model)
    {
        bool isOfProcesses = model is { Lane: LaneKind.Process, Lanes: ServerModel.Many };
        if (options.BoundsBufferedBytes && isOfProcesses)
        {
            throw new ArgumentException(
                "ServerOptions.MaxBufferedBytes has no effect where each connection has a process of its own, which holds its bytes: leave "
                    + "it out, and bound how many connections there may be.");
        }
    }

    /// <summary>The program has the bytes: what they say, how many wait and how fast they move is between it and its client.</summary>
    private static void RequireKnownToProgram(DoorOptions door)
    {
        StreamLimits limits = door.Service.StreamLimits;
        StreamLimits usual = StreamLimits.Default;
        string? unknown = limits.MinDataRate != usual.MinDataRate ? "StreamLimits.MinDataRate"
            : limits.MinDataRateGrace != usual.MinDataRateGrace ? "StreamLimits.MinDataRateGrace"
            : limits.MaxStepsPerRound != usual.MaxStepsPerRound ? "StreamLimits.MaxStepsPerRound"
            : limits.OpeningTimeout != usual.OpeningTimeout ? "StreamLimits.OpeningTimeout"
            : limits.MaxMessageBytes != usual.MaxMessageBytes ? "StreamLimits.MaxMessageBytes"
            : limits.MaxPendingOutput != usual.MaxPendingOutput || limits.OutputHighMark != usual.OutputHighMark
                ? "StreamLimits.MaxPendingOutput"
            : null;
        if (unknown is not null)
        {
            throw new ArgumentException(
                $"{unknown} has no effect at {door.Endpoint}: the service {door.Service.Name} is a program, which has the connection's "
                    + "bytes itself. Leave it out.");
        }

        // The default is nobody's wish: it acts where it can.
        bool isAsked = limits.FirstByteTimeout != Timeout.InfiniteTimeSpan && limits.FirstByteTimeout != usual.FirstByteTimeout;
        if (isAsked && door.Endpoint.Transport == Transport.Unix)
        {
            throw new ArgumentException(
                $"StreamLimits.FirstByteTimeout has no effect at {door.Endpoint}: the service {door.Service.Name} is a program, and of a "
                    + "unix socket the kernel does not tell whether its client has sent anything. Leave it out.");
        }
    }
}
