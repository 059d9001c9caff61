using System.CommandLine;
using Doorbell.Coap;

namespace Doorbell.Cli.Arguments;

/// <summary>The limits of <c>serve</c>, each as the library has it.</summary>
internal sealed class LimitArguments
{
    private readonly ConnectionArguments _connections = new();

    private readonly Option<string?> _refuse = new("--refuse")
    {
        Description = "At --max-connections accept one more, send it this line and close it: --at-limit close",
        HelpName = "LINE",
    };

    private readonly Option<Duration?> _idle = Time("--idle-timeout", "Close a connection on which no byte moves [default: 300]");
    private readonly Option<Duration?> _firstByte = Time(
        "--first-byte-timeout", "Close one that has sent nothing, and taken nothing either [default: 60]");
    private readonly Option<Duration?> _lifetime = Time("--max-lifetime", "Close a connection after so long [default: never]");
    private readonly Option<int?> _rate = CommonOptions.Size(
        "--min-rate", "Bytes a second, after 5 seconds, below which a message or its answer may not move [default: any]");

    private readonly Option<int?> _message = CommonOptions.Size(
        "--max-message", "Bytes that may wait for the rest of a message [default: 1m]");
    private readonly Option<int?> _pending = CommonOptions.Size(
        "--max-pending", "Bytes of answer that a peer may leave untaken [default: 16m]");

    private readonly Option<int?> _coapExchanges = Count(
        "--coap-exchanges", "CoAP requests with an effect that each socket remembers, to know their duplicates [default: 16384]");

    public void AddTo(Command command)
    {
        _connections.AddTo(command);
        Option[] all = [_refuse, _idle, _firstByte, _lifetime, _rate, _message, _pending, _coapExchanges];
        foreach (Option option in all)
        {
            command.Add(option);
        }
    }

    /// <summary>The options with what was given; what was not stays as the library has it.</summary>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options)
    {
        string? refusal = parsed.GetValue(_refuse);
        if (refusal is not null && _connections.AtLimitOf(parsed) is not (null or AtLimit.Close))
        {
            throw new ArgumentException("--refuse closes one connection too many: leave out --at-limit, or give it as close");
        }

        options = _connections.Apply(parsed, options);
        options = refusal is null ? options : options with { AtLimit = AtLimit.Close };
        return options with
        {
            RefusalLine = string.IsNullOrEmpty(refusal) ? null : refusal,
            StreamLimits = new StreamLimitOverrides
            {
                IdleTimeout = parsed.GetValue(_idle)?.Time,
                FirstByteTimeout = parsed.GetValue(_firstByte)?.Time,
                MaxLifetime = parsed.GetValue(_lifetime)?.Time,
                MinDataRate = parsed.GetValue(_rate),
                MaxMessageBytes = parsed.GetValue(_message),
                MaxPendingOutput = parsed.GetValue(_pending),
            },
        };
    }

    /// <exception cref="ArgumentException">The limit of CoAP sockets was given, and there is none.</exception>
    public void RequireCoap(ParseResult parsed, IReadOnlyList<DoorOptions> doors)
    {
        if (parsed.GetValue(_coapExchanges) is not null && !doors.Any(static door => door.Endpoint.Application == CoapService.Scheme))
        {
            throw new ArgumentException("--coap-exchanges has no effect where no endpoint is coap://. Leave it out.");
        }
    }

    /// <summary>The limits of a CoAP socket with what was given.</summary>
    public CoapServerLimits Apply(ParseResult parsed, CoapServerLimits limits) =>
        limits with { MaxExchanges = parsed.GetValue(_coapExchanges) ?? limits.MaxExchanges };

    private static Option<Duration?> Time(string name, string description) => CommonOptions.OptionalDuration(name, description);

    private static Option<int?> Count(string name, string description) => CommonOptions.Number(name, description, 1, int.MaxValue);
}
