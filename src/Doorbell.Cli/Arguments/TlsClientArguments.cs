using System.CommandLine;
using Doorbell.Sessions;
using Doorbell.Tls;

namespace Doorbell.Cli.Arguments;

/// <summary>The TLS of connections that a verb opens: whom it trusts, and what it shows.</summary>
/// <param name="hasFlag">Whether it takes <c>--tls</c>, for an endpoint with another scheme than <c>tls://</c>.</param>
internal sealed class TlsClientArguments(bool hasFlag)
{
    private readonly Option<bool> _tls = new("--tls") { Description = "Streams: speak TLS, as at a tls:// endpoint" };

    private readonly Option<string?> _authorities = new("--ca")
    {
        Description = "TLS: trust the authorities of this file, in PEM, and no others [default: the system's]", HelpName = "FILE",
    };

    private readonly Option<string[]> _pins = new("--pin")
    {
        Description = "TLS: trust the certificate with this SHA-256 alone, whoever has signed it; repeatable",
        HelpName = "sha256:HEX",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "TLS: trust any certificate: whoever stands between can read and change everything",
    };

    private readonly Option<string?> _name = new("--servername")
    {
        Description = "TLS: the name that the server's certificate has to be for [default: the endpoint's host]", HelpName = "NAME",
    };

    private readonly Option<string?> _certificate = new("--cert")
    {
        Description = "TLS: show the server this certificate, in PEM or PFX", HelpName = "FILE",
    };

    private readonly Option<string?> _key = new("--key")
    {
        Description = "TLS: the private key of --cert, in PEM [default: it stands in the same file]", HelpName = "FILE",
    };

    private Option[] Others => [_authorities, _pins, _insecure, _name, _certificate, _key];

    public void AddTo(Command command)
    {
        if (hasFlag)
        {
            command.Add(_tls);
        }

        foreach (Option option in Others)
        {
            command.Add(option);
        }
    }

    /// <summary>The options, for a verb that does not take them in some cases.</summary>
    public IReadOnlyList<Option> Options => [_tls, .. Others];

    /// <summary>Whether TLS is spoken to an endpoint.</summary>
    public bool IsAsked(ParseResult parsed, Endpoint endpoint) =>
        endpoint.Application == TlsScheme.Scheme || (hasFlag && endpoint.IsStream && parsed.GetValue(_tls));

    /// <summary>What makes the layers of connections to each of the endpoints that TLS is spoken to.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="say">Told in one line what is dangerous.</param>
    /// <param name="endpoints">Where the verb connects to.</param>
    /// <exception cref="ArgumentException">The options don't fit together or to the endpoints, or a file can't be used.</exception>
    public Func<Endpoint, IReadOnlyList<Func<ConnectionInfo, StreamLayer>>> Read(
        ParseResult parsed, Action<string> say, params IReadOnlyList<Endpoint> endpoints)
    {
        Endpoint[] asked = [.. endpoints.Where(endpoint => IsAsked(parsed, endpoint))];
        if (hasFlag && parsed.GetValue(_tls) && endpoints.FirstOrDefault(static endpoint => !endpoint.IsStream) is { } datagrams)
        {
            throw new ArgumentException($"--tls is for streams, and {datagrams} carries datagrams");
        }

        if (asked.Length == 0)
        {
            return parsed.FirstGiven(Others) is { } unused
                ? throw new ArgumentException(
                    $"{unused.Name} is for TLS: {(hasFlag ? "give --tls too, or " : "")}write the endpoint as tls://host:port")
                : static _ => [];
        }

        TlsClientOptions options = Trust(parsed);
        if (options.AcceptsAnyCertificate)
        {
            say("--insecure: the server's certificate is not checked; whoever stands between can read and change everything");
        }

        Dictionary<Endpoint, IReadOnlyList<Func<ConnectionInfo, StreamLayer>>> layers = [];
        foreach (Endpoint endpoint in asked)
        {
            layers[endpoint] = [new TlsClient(endpoint, options).NewLayer];
        }

        return endpoint => layers.TryGetValue(endpoint, out IReadOnlyList<Func<ConnectionInfo, StreamLayer>>? found) ? found : [];
    }

    private TlsClientOptions Trust(ParseResult parsed)
    {
        string[] pins = parsed.GetValue(_pins) ?? [];
        bool insecure = parsed.GetValue(_insecure);
        string? authorities = parsed.GetValue(_authorities);
        if ((insecure ? 1 : 0) + (pins.Length > 0 ? 1 : 0) + (authorities is null ? 0 : 1) > 1)
        {
            throw new ArgumentException("--ca, --pin and --insecure exclude each other: each says by itself whom to trust");
        }

        if (parsed.GetValue(_key) is not null && parsed.GetValue(_certificate) is null)
        {
            throw new ArgumentException("--key is the private key of --cert: give that too");
        }

        TlsFile.Require("--key", parsed.GetValue(_key));
        return new TlsClientOptions
        {
            ServerName = parsed.GetValue(_name),
            Authorities = authorities is null ? null : TlsFile.Read("--ca", authorities, TlsCertificate.ReadAuthorities),
            Pins = [.. pins.Select(static pin => TlsFile.Parsed("--pin", pin, TlsClientOptions.ParsePin))],
            AcceptsAnyCertificate = insecure,
            Certificate = parsed.GetValue(_certificate) is { } file
                ? TlsFile.Read("--cert", file, path => TlsCertificate.Read(path, parsed.GetValue(_key)))
                : null,
        };
    }
}
