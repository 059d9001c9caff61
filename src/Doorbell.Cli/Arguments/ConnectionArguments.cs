using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>How many connections <c>serve</c> and <c>relay</c> take at once.</summary>
internal sealed class ConnectionArguments
{
    private static readonly string[] _atLimitWords = ["make-room", "backlog", "close"];

    private readonly Option<int?> _all = CommonOptions.Number(
        "--max-connections", "Connections at once, over all endpoints [default: 10000; 128 of a program]", 1, int.MaxValue);

    private readonly Option<int?> _perAddress = CommonOptions.Number(
        "--max-per-address",
        "Connections at once from one IPv4 address or IPv6 /64; one more is closed [default: no limit]",
        1,
        int.MaxValue);

    private readonly Option<string?> _atLimit = new("--at-limit")
    {
        Description = "What becomes of one connection too many: make-room lets the one that has been at rest for the longest go, "
            + "backlog lets it wait, close refuses it [default: make-room]",
        HelpName = "WHAT",
        CompletionSources = { _atLimitWords },
        CustomParser = static result =>
        {
            string word = result.Tokens[0].Value;
            if (_atLimitWords.Contains(word))
            {
                return word;
            }

            result.AddError($"--at-limit takes make-room, backlog or close, not \"{PrintableText.Escape(word)}\"");
            return null;
        },
    };

    private readonly Option<long?> _buffered = CommonOptions.Memory(
        "--max-buffered",
        "Memory for what peers have not taken and what has not been consumed, of all connections; past it those that hold the most are "
            + "reset [default: an eighth of what there is]");

    /// <summary>The options, for a verb that does not take them in some cases.</summary>
    public IReadOnlyList<Option> Options => [_all, _perAddress, _atLimit, _buffered];

    public void AddTo(Command command)
    {
        foreach (Option option in Options)
        {
            command.Add(option);
        }
    }

    /// <summary>The options with what was given; what was not stays as the library has it.</summary>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options)
    {
        options = parsed.GetValue(_all) is { } all ? options with { MaxConnections = all } : options;
        options = parsed.GetValue(_buffered) is { } bytes ? options with { MaxBufferedBytes = bytes } : options;
        options = AtLimitOf(parsed) is { } atLimit ? options with { AtLimit = atLimit } : options;
        return options with { MaxConnectionsPerAddress = parsed.GetValue(_perAddress) ?? options.MaxConnectionsPerAddress };
    }

    /// <summary>What was given; null if nothing was.</summary>
    public AtLimit? AtLimitOf(ParseResult parsed) => parsed.GetValue(_atLimit) switch
    {
        "make-room" => AtLimit.MakeRoom,
        "backlog" => AtLimit.LeaveInBacklog,
        "close" => AtLimit.Close,
        _ => null,
    };
}
