using System.Text.RegularExpressions;

namespace Doorbell.Cli.Arguments;

/// <summary>A port that is given by the name of its service, as in <c>tcp://localhost:http</c> (services(5)).</summary>
internal static partial class ServicePort
{
    /// <summary>A longer file is no list of services.</summary>
    private const int MaxFileBytes = 4 * 1024 * 1024;

    private static readonly string _file = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.SystemDirectory, @"drivers\etc\services")
        : "/etc/services";

    /// <summary>The same endpoint with the port's number; as it is if it has no name there.</summary>
    /// <param name="text">An endpoint as it was given.</param>
    /// <param name="schemes">Of the protocols that are known.</param>
    /// <exception cref="FormatException">No service of the transport has that name.</exception>
    public static string WithNumber(string text, IReadOnlyList<ApplicationScheme> schemes)
    {
        Match match = HostAndName().Match(text);
        bool isPath = text.StartsWith("unix:", StringComparison.OrdinalIgnoreCase);
        string? transport = match.Success && !isPath ? TransportOf(match.Groups["scheme"].Value.ToLowerInvariant(), schemes) : null;
        if (transport is null)
        {
            return text;
        }

        string name = match.Groups["port"].Value;
        (string Name, string Port)[] known = [.. Services().Where(one => one.Name == name).Select(static one => (one.Name, one.Port))];
        string? port = Array.Find(known, one => one.Port.EndsWith($"/{transport}", StringComparison.Ordinal)).Port;
        return port is not null
            ? string.Concat(text.AsSpan(0, match.Groups["port"].Index), port.AsSpan(0, port.IndexOf('/', StringComparison.Ordinal)))
            : throw new FormatException($"\"{PrintableText.Escape(text)}\" is no endpoint: {Explain(name, transport, known)}");
    }

    /// <summary>Whether a word may be a service's name.</summary>
    public static bool IsName(string word) => HostAndName().IsMatch($":{word}");

    private static string Explain(string name, string transport, (string Name, string Port)[] known)
    {
        string what = $"\"{PrintableText.Escape(name)}\" is no port: ";
        if (!File.Exists(_file))
        {
            return $"{what}this machine has no {_file}, which would list the services' names: give a number from 0 to 65535";
        }

        if (known.Length > 0)
        {
            return $"{what}{_file} lists it as {string.Join(" and ", known.Select(static one => one.Port))}, not for {transport}";
        }

        string? near = NearName.Of(
            name, Services().Where(one => one.Port.EndsWith($"/{transport}", StringComparison.Ordinal)).Select(static one => one.Name));
        return $"{what}it is neither a number from 0 to 65535 nor a {transport} service that {_file} lists"
            + (near is null ? ", as in tcp://localhost:6789" : $": do you mean {PrintableText.Escape(near)}?");
    }

    private static string? TransportOf(string scheme, IReadOnlyList<ApplicationScheme> schemes) => scheme switch
    {
        "" or "tcp" => "tcp",
        "udp" => "udp",
        _ => schemes.FirstOrDefault(one => one.Name == scheme)?.Transport switch
        {
            Transport.Tcp => "tcp",
            Transport.Udp => "udp",
            _ => null,
        },
    };

    /// <summary>A line is <c>name port/transport alias…</c>, and # begins a comment.</summary>
    private static IEnumerable<(string Name, string Port)> Services()
    {
        if (!File.Exists(_file) || new FileInfo(_file).Length > MaxFileBytes)
        {
            yield break;
        }

        foreach (string line in File.ReadLines(_file))
        {
            string[] words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < words.Length && words.Length > 1; i++)
            {
                if (i != 1)
                {
                    yield return (words[i], words[1]);
                }
            }
        }
    }

    /// <summary>A host, as an address in brackets or without a colon, and a port that is no number: it has a letter.</summary>
    [GeneratedRegex(
        @"^((?<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(\[[^\]]*\]|[^:/\[\]]*):(?<port>[A-Za-z0-9_.+-]*[A-Za-z][A-Za-z0-9_.+-]*)/?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex HostAndName();
}
