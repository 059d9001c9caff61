using System.CommandLine;
using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Cli.Arguments;

/// <summary>The options that say how bad <c>impair</c> makes each direction.</summary>
internal sealed class FaultArguments
{
    private readonly IReadOnlyList<(string Name, Option<string?> Option)> _options =
    [
        (FaultWords.Like, new Option<string?>("--" + FaultWords.Like)
        {
            Description = $"Begin with a profile: {FaultWords.Profiles}; what else is given replaces its part",
            HelpName = "PROFILE",
            CompletionSources = { FaultWords.Profiles.Split(", ") },
        }),
        .. FaultSettings.All.Select(static setting => (setting.Name, new Option<string?>("--" + setting.Name)
        {
            Description = $"{For(setting)}{setting.Description}",
            HelpName = setting.Form,
        })),
        (FaultWords.Only, new Option<string?>("--" + FaultWords.Only)
        {
            Description = "Impair one direction alone: up, to the upstream, or down",
            HelpName = "up|down",
            CompletionSources = { "up", "down" },
        }),
    ];

    public void AddTo(Command command)
    {
        foreach ((_, Option<string?> option) in _options)
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">An option makes no sense, or is not for what is carried.</exception>
    public BothFaults Read(ParseResult parsed, bool streams)
    {
        IEnumerable<(string Name, string Value)> given = _options
            .Select(named => (named.Name, Value: parsed.GetValue(named.Option)!))
            .Where(static word => word.Value is not null);
        return new FaultWords(streams, "--").Apply(BothFaults.None, [.. given]);
    }

    private static string For(FaultSetting setting) => (setting.OfDatagrams, setting.OfStreams) switch
    {
        (true, false) => "Datagrams: ",
        (false, true) => "Streams: ",
        _ => "",
    };
}
