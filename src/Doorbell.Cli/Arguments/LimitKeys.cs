using Doorbell.Coap;

namespace Doorbell.Cli.Arguments;

/// <summary>The keys of a configuration's <c>Limits</c>: the properties' names, by what is served.</summary>
internal static class LimitKeys
{
    private static readonly Dictionary<string, ConfigurationKeys<StreamLimitOverrides>.Setting> _ofConnections = new()
    {
        ["MaxMessageBytes"] = new(static (limits, value) => limits with { MaxMessageBytes = value.Bytes(1) }, "--max-message"),
        ["OutputHighMark"] = new(static (limits, value) => limits with { OutputHighMark = value.Bytes(1) }),
        ["MaxPendingOutput"] = new(static (limits, value) => limits with { MaxPendingOutput = value.Bytes(1) }, "--max-pending"),
        ["IdleTimeout"] = new(static (limits, value) => limits with { IdleTimeout = value.Time(mayBeInfinite: true) }, "--idle-timeout"),
        ["FirstByteTimeout"] = new(
            static (limits, value) => limits with { FirstByteTimeout = value.Time(mayBeInfinite: true) }, "--first-byte-timeout"),
        ["OpeningTimeout"] = new(static (limits, value) => limits with { OpeningTimeout = value.Time(mayBeInfinite: true) }),
        ["MaxLifetime"] = new(static (limits, value) => limits with { MaxLifetime = value.Time(mayBeInfinite: true) }, "--max-lifetime"),
        ["MinDataRate"] = new(static (limits, value) => limits with { MinDataRate = value.Bytes(0) }, "--min-rate"),
        ["MinDataRateGrace"] = new(static (limits, value) => limits with { MinDataRateGrace = value.Time(mayBeInfinite: false) }),
        ["CloseTimeout"] = new(static (limits, value) => limits with { CloseTimeout = value.Time(mayBeInfinite: false) }),
        ["MaxStepsPerRound"] = new(static (limits, value) => limits with { MaxStepsPerRound = value.Count(1) }),
    };

    /// <summary>Those of the connections at all doors.</summary>
    public static ConfigurationKeys<StreamLimitOverrides> OfConnections { get; } = new(_ofConnections);

    /// <summary>Those of a door for streams.</summary>
    public static ConfigurationKeys<DoorLimits> OfStreams { get; } = new(
        new Dictionary<string, ConfigurationKeys<DoorLimits>.Setting>(_ofConnections.Select(static of => KeyValuePair.Create(
            of.Key,
            new ConfigurationKeys<DoorLimits>.Setting((limits, value) => (DoorLimits)of.Value.Set(limits, value), of.Value.Options))))
        {
            ["MaxConnections"] = new(static (limits, value) => limits with { MaxConnections = value.Count(1) }),
            ["MaxConnectionsPerAddress"] = new(static (limits, value) => limits with { MaxConnectionsPerAddress = value.Count(1) }),
        });

    /// <summary>Those of a door for datagrams.</summary>
    public static ConfigurationKeys<DoorLimits> OfDatagrams { get; } = new(
        new Dictionary<string, ConfigurationKeys<DoorLimits>.Setting>
        {
            ["MaxDatagramBytes"] = new(static (limits, value) => limits with { MaxDatagramBytes = value.Bytes(1) }),
            ["MaxAmplification"] = new(static (limits, value) => limits with { MaxAmplification = value.Count(0) }),
            ["LoopGuardAnswers"] = new(static (limits, value) => limits with { LoopGuardAnswers = value.Count(0) }),
            ["MaxOpenedSockets"] = new(static (limits, value) => limits with { MaxOpenedSockets = value.Count(0) }),
            ["MaxAnswersPerTurn"] = new(static (limits, value) => limits with { MaxAnswersPerTurn = value.Count(1) }),
        });

    /// <summary>Those of a CoAP socket.</summary>
    public static ConfigurationKeys<CoapServerLimits> OfCoap { get; } = new(
        new Dictionary<string, ConfigurationKeys<CoapServerLimits>.Setting>
        {
            ["MaxExchanges"] = new(static (limits, value) => limits with { MaxExchanges = value.Count(0) }, "--coap-exchanges"),
            ["MaxMessageBytes"] = new(static (limits, value) => limits with { MaxMessageBytes = value.Bytes(1) }),
            ["MaxBodyBytes"] = new(static (limits, value) => limits with { MaxBodyBytes = value.Bytes(1) }),
            ["MaxBodies"] = new(static (limits, value) => limits with { MaxBodies = value.Count(1) }),
            ["MaxBodiesPerPeer"] = new(static (limits, value) => limits with { MaxBodiesPerPeer = value.Count(1) }),
            ["BodyTimeout"] = new(static (limits, value) => limits with { BodyTimeout = value.Time(mayBeInfinite: false) }),
            ["MaxAmplification"] = new(static (limits, value) => limits with { MaxAmplification = value.Count(0) }),
            ["EchoWindow"] = new(static (limits, value) => limits with { EchoWindow = value.Time(mayBeInfinite: false) }),
            ["MaxProvedPeers"] = new(static (limits, value) => limits with { MaxProvedPeers = value.Count(1) }),
            ["ProofLifetime"] = new(static (limits, value) => limits with { ProofLifetime = value.Time(mayBeInfinite: false) }),
            ["CapabilitiesTimeout"] = new(static (limits, value) => limits with { CapabilitiesTimeout = value.Time(mayBeInfinite: false) }),
            ["MaxSeparateAnswers"] = new(static (limits, value) => limits with { MaxSeparateAnswers = value.Count(1) }),
            ["MaxObservations"] = new(static (limits, value) => limits with { MaxObservations = value.Count(0) }),
            ["MaxObservationsPerPeer"] = new(static (limits, value) => limits with { MaxObservationsPerPeer = value.Count(0) }),
        });
}
