using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>How many connections <c>serve</c> and <c>relay</c> take at once.</summary>
internal sealed class ConnectionArguments
{
    private readonly Option<int?> _all = CommonOptions.Number(
        "--max-connections", "Connections at once, over all endpoints [default: 10000; 128 of a program]", 1, int.MaxValue);

    private readonly Option<int?> _perAddress = CommonOptions.Number(
        "--max-per-address",
        "Connections at once from one IPv4 address or IPv6 /64; one more is closed [default: no limit]",
        1,
        int.MaxValue);

    public void AddTo(Command command)
    {
        command.Add(_all);
        command.Add(_perAddress);
    }

    /// <summary>The options with what was given; what was not stays as the library has it.</summary>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options) => options with
    {
        MaxConnections = parsed.GetValue(_all) ?? options.MaxConnections,
        MaxConnectionsPerAddress = parsed.GetValue(_perAddress) ?? options.MaxConnectionsPerAddress,
    };
}
