using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>Whom the proxies that <c>serve</c> has connect to where.</summary>
internal sealed class TunnelArguments
{
    private const int MaxUsersBytes = 1024 * 1024;

    private readonly Option<string[]> _targets = new("--allow-target")
    {
        Description = "socks, http-proxy: where clients may connect to, as in 10.0.0.0/8, 10.0.0.7:443, [2001:db8::/32]:80-90, public; "
            + "repeatable [default: everywhere from this machine, nowhere from others]",
        HelpName = "RANGE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _users = new("--users")
    {
        Description = "socks, http-proxy: ask for a name and a password, one of this file's lines NAME:PASSWORD",
        HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        command.Add(_targets);
        command.Add(_users);
    }

    /// <summary>Whether one of them was given.</summary>
    public bool AreGiven(ParseResult parsed) => parsed.GetValue(_targets) is { Length: > 0 } || parsed.GetValue(_users) is not null;

    /// <exception cref="ArgumentException">A line of the file has no colon.</exception>
    /// <exception cref="FormatException">A range is none, or the file can't be read.</exception>
    public TunnelOptions Read(ParseResult parsed) => TunnelOptions.Default with
    {
        Targets = parsed.GetValue(_targets) is { Length: > 0 } targets ? [.. targets.Select(TargetRange.Parse)] : null,
        Users = parsed.GetValue(_users) is { } file ? ReadUsers(file) : null,
    };

    /// <summary>A password on the command line could be read by every user of the machine (ps(1)), so it stands in a file.</summary>
    private static Dictionary<string, string> ReadUsers(string file)
    {
        Dictionary<string, string> users = [];
        string name = PrintableText.Escape(file);
        foreach ((int index, string ended) in BoundedFile.ReadText(file, MaxUsersBytes, "a list of users").Split('\n').Index())
        {
            string line = ended.EndsWith('\r') ? ended[..^1] : ended;
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (line.Length > 0 && (colon <= 0 || !users.TryAdd(line[..colon], line[(colon + 1)..])))
            {
                string what = colon <= 0 ? "a line is NAME:PASSWORD" : "this name stands in the file already";
                throw new ArgumentException($"--users {name}:{index + 1}: {what}");
            }
        }

        return users.Count > 0 ? users : throw new ArgumentException($"--users {name} names nobody, so nobody could connect");
    }
}
