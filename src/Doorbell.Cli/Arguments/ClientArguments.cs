using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Arguments;

/// <summary>How a verb makes the sockets that it connects: from where, by which interface, to which family, with which options.</summary>
internal sealed class ClientArguments
{
    private readonly Option<IPEndPoint?> _from = new("--from")
    {
        Description = "The address and port of this machine to connect from, as in 10.0.0.5, 10.0.0.5:5000, [::1]:5000 or :5000 "
            + "[default: the kernel chooses]",
        HelpName = "ADDRESS[:PORT]",
        CustomParser = static result =>
        {
            string text = result.Tokens[0].Value;
            if (TryParse(text, out IPEndPoint? local))
            {
                return local;
            }

            result.AddError(
                "--from takes an address of this machine and perhaps a port, as in 10.0.0.5, 10.0.0.5:5000, [::1]:5000 or :5000, "
                    + $"not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private readonly Option<string?> _interface = new("--interface")
    {
        Description = "Send by this interface alone, as in eth0",
        HelpName = "NAME",
    };

    private readonly Option<int?> _ttl = CommonOptions.Number(
        "--ttl", "How many routers a packet may pass [default: the system's; 1 to a multicast group]", 0, 255);

    private readonly Option<bool> _ipv4 = new("--ipv4", "-4") { Description = "Use IPv4 addresses alone" };
    private readonly Option<bool> _ipv6 = new("--ipv6", "-6") { Description = "Use IPv6 addresses alone" };
    private readonly Option<string[]> _options = CommonOptions.SocketOptions();

    public void AddTo(Command command)
    {
        command.Add(_from);
        command.Add(_interface);
        command.Add(_ttl);
        command.Add(_ipv4);
        command.Add(_ipv6);
        command.Add(_options);
    }

    /// <summary>An endpoint of a multicast group on the interface that was named; any other endpoint as it is.</summary>
    /// <exception cref="ArgumentException">There is no such interface, or the endpoint names another one.</exception>
    public Endpoint OnInterface(ParseResult parsed, Endpoint endpoint) => parsed.GetValue(_interface) is { } name
        ? InterfaceWord.On(endpoint, name)
        : endpoint;

    /// <summary>How the sockets are made.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="say">Told in one line where the kernel makes something else of an option.</param>
    /// <param name="to">Where to, if that is known: a multicast group has an interface and a TTL of its own.</param>
    /// <exception cref="ArgumentException">Options exclude each other, or one has no effect.</exception>
    public ClientOptions Read(ParseResult parsed, Action<string> say, Endpoint? to = null)
    {
        bool isGroup = to is { IsGroup: true };
        if (parsed.GetValue(_ipv4) && parsed.GetValue(_ipv6))
        {
            throw new ArgumentException("--ipv4 and --ipv6 exclude each other");
        }

        ClientOptions options = CommonOptions.ForClient(parsed.GetValue(_options), say);
        if (parsed.GetValue(_interface) is { } name && !isGroup)
        {
            options = options with { SocketOptions = [.. options.SocketOptions, InterfaceWord.Binding(name)] };
        }

        if (parsed.GetValue(_ttl) is { } ttl)
        {
            options = options with { SocketOptions = [.. options.SocketOptions, .. TimeToLive(ttl, to, isGroup)] };
        }

        IPEndPoint? local = parsed.GetValue(_from);
        bool isAny = local is null || local.Address.Equals(IPAddress.Any);
        return options with
        {
            LocalAddress = isAny ? null : local!.Address,
            LocalPort = local?.Port ?? 0,
            Family = parsed.GetValue(_ipv4) ? AddressFamily.InterNetwork : parsed.GetValue(_ipv6) ? AddressFamily.InterNetworkV6 : null,
        };
    }

    /// <summary>One for each family: which of them has an effect is the address's affair.</summary>
    private static IEnumerable<SocketOptionSetting> TimeToLive(int ttl, Endpoint? to, bool isGroup)
    {
        if (to is { IsUnix: true })
        {
            throw new ArgumentException($"--ttl has no effect on {to}: it is for TCP and UDP");
        }

        string[] names = isGroup ? ["IP_MULTICAST_TTL", "IPV6_MULTICAST_HOPS"] : ["IP_TTL", "IPV6_UNICAST_HOPS"];
        return !isGroup && ttl == 0
            ? throw new ArgumentException("--ttl takes 1 to 255, or 0 for a multicast group whose members are all on this machine")
            : names.Select(name => SocketOptionSetting.Parse($"{name}={ttl}"));
    }

    /// <summary>An address, an address and a port, or a port behind a colon, for which the address is 0.0.0.0.</summary>
    private static bool TryParse(string text, out IPEndPoint? local)
    {
        local = null;
        if (TryAddress(text, out IPAddress? alone))
        {
            local = new IPEndPoint(alone!, 0);
            return true;
        }

        int colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port is < 1 or > IPEndPoint.MaxPort)
        {
            return false;
        }

        string host = text[..colon];
        IPAddress? address = IPAddress.Any;
        bool isAddress = host.Length == 0 || (host is ['[', .., ']'] or [not '[', ..] && (host[0] == '[' || !host.Contains(':'))
            && TryAddress(host, out address));
        local = isAddress ? new IPEndPoint(address!, port) : null;
        return isAddress;
    }

    /// <summary>Of the forms that .NET reads only the usual ones: <c>5000</c> would be the address 0.0.19.136.</summary>
    private static bool TryAddress(string text, out IPAddress? address)
    {
        bool isBracketed = text is ['[', .., ']'];
        string bare = isBracketed ? text[1..^1] : text;
        return IPAddress.TryParse(bare, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 ? !bare.Contains('[') : !isBracketed && address.ToString() == bare);
    }
}
