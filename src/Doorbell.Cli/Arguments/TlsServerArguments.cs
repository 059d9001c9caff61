using System.CommandLine;
using Doorbell.Tls;

namespace Doorbell.Cli.Arguments;

/// <summary>The TLS of a verb's own endpoints: with which certificates, and whom it takes.</summary>
/// <param name="hasFlag">Whether it takes <c>--tls</c>, for endpoints with another scheme than <c>tls://</c>.</param>
internal sealed class TlsServerArguments(bool hasFlag)
{
    /// <summary>How the processes of a model have the certificate that their parent made.</summary>
    private const string SelfSignedVariable = "DOORBELL_SELF_SIGNED";

    private static readonly string[] _clientWords = ["required", "optional"];

    private readonly Option<bool> _tls = new("--tls") { Description = "Speak TLS at all stream endpoints, as at tls:// ones" };

    private readonly Option<string[]> _certificates = new("--tls-cert")
    {
        Description = "TLS: the certificate and those that lead to its authority, in PEM or PFX; repeatable: a client gets the one that is "
            + "for the name it asks for. A file that changes is read again",
        HelpName = "FILE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string[]> _keys = new("--tls-key")
    {
        Description = "TLS: the private key of each --tls-cert in turn, in PEM [default: it stands in the same file]",
        HelpName = "FILE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _selfSigned = new("--self-signed")
    {
        Description = "TLS: make a certificate for trying out, and print its SHA-256, which clients take as --pin",
    };

    private readonly Option<string[]> _protocols = new("--alpn")
    {
        Description = "TLS: offer this protocol by ALPN, as in h2; repeatable, the best first", HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _clientAuthorities = new("--client-ca")
    {
        Description = "TLS: ask clients for a certificate that the authorities of this file, in PEM, have signed", HelpName = "FILE",
    };

    private readonly Option<string?> _clientCertificate = new("--client-cert")
    {
        Description = "TLS: required refuses clients without a certificate, optional does not [default: required]",
        HelpName = "WHETHER",
        CompletionSources = { _clientWords },
        CustomParser = static result =>
        {
            string word = result.Tokens[0].Value;
            if (_clientWords.Contains(word))
            {
                return word;
            }

            result.AddError($"--client-cert takes required or optional, not \"{PrintableText.Escape(word)}\"");
            return null;
        },
    };

    private readonly Option<int?> _handshakes = CommonOptions.Number(
        "--max-handshakes", "TLS: handshakes under way at once; one more connection is closed [default: 1024]", 1, int.MaxValue);

    private Option[] Others =>
        [_certificates, _keys, _selfSigned, _protocols, _clientAuthorities, _clientCertificate, _handshakes];

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

    /// <summary>The options with TLS at the endpoints that it was asked for, behind the layers that they have.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="options">What is served.</param>
    /// <param name="tls">What the endpoints have; null if none speaks TLS.</param>
    /// <exception cref="ArgumentException">The options don't fit together or to the endpoints, or a file can't be used.</exception>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options, out ServedTls? tls)
    {
        tls = null;
        bool everywhere = hasFlag && parsed.GetValue(_tls);
        bool isAsked = options.Doors.Any(door => Speaks(door, everywhere));
        if (!isAsked)
        {
            string? unused = everywhere ? _tls.Name
                : parsed.FirstGiven(Others)?.Name;
            return unused is null ? options : throw new ArgumentException(
                everywhere
                    ? "--tls is for streams, and none of the endpoints is one: name one; a socket that was passed is fd://3"
                    : $"{unused} is for TLS: {(hasFlag ? "give --tls too, or " : "")}write an endpoint as tls://host:port");
        }

        if (options.Doors.FirstOrDefault(door => Speaks(door, everywhere) && door.Service.Program is not null) is { } program)
        {
            throw new ArgumentException(
                $"--exec and --shell give the connection itself to a process, which would have to speak TLS: put a relay before it, as in "
                    + $"doorbell relay {program.Endpoint.As(TlsScheme.Scheme)} unix:/run/door");
        }

        if (everywhere && options.Doors.FirstOrDefault(static door => door.Endpoint.IsStream && door.Endpoint.Application is { } scheme
            && scheme != TlsScheme.Scheme) is { } other)
        {
            throw new ArgumentException(
                $"--tls makes TLS of every stream, and {other.Endpoint} speaks a protocol that Doorbell does not have over TLS yet: "
                    + "give tls:// to the others instead");
        }

        ServedTls made = Make(parsed, options);
        tls = made;
        return options with
        {
            Doors = [.. options.Doors.Select(door => Speaks(door, everywhere)
                ? door with
                {
                    Endpoint = door.Endpoint.Transport == Transport.Tcp ? door.Endpoint.As(TlsScheme.Scheme) : door.Endpoint,
                    Layers = [.. door.Layers, made.Server.NewLayer],
                }
                : door)],
        };
    }

    private static bool Speaks(DoorOptions door, bool everywhere) =>
        door.Endpoint.Application == TlsScheme.Scheme || (everywhere && (door.Endpoint.IsStream || door.Endpoint.IsPassed));

    private ServedTls Make(ParseResult parsed, ServerOptions options)
    {
        string[] files = parsed.GetValue(_certificates) ?? [];
        string[] keys = parsed.GetValue(_keys) ?? [];
        bool selfSigned = parsed.GetValue(_selfSigned);
        if (files.Length > 0 == selfSigned)
        {
            throw new ArgumentException(
                files.Length > 0
                    ? "--self-signed and --tls-cert exclude each other"
                    : "TLS needs a certificate: give its file with --tls-cert, or --self-signed for trying out");
        }

        if (keys.Length > 0 && keys.Length != files.Length)
        {
            throw new ArgumentException("--tls-key stands as often as --tls-cert, or not at all: each is the key of one certificate");
        }

        string? clients = parsed.GetValue(_clientAuthorities);
        if (clients is null && parsed.GetValue(_clientCertificate) is not null)
        {
            throw new ArgumentException("--client-cert goes with --client-ca, which says whose certificates are trusted");
        }

        TlsCertificate? own = selfSigned ? SelfSigned(options) : null;
        return new ServedTls([.. files, .. keys, .. clients is null ? [] : (string[])[clients]], Read) { SelfSigned = own };

        TlsServerOptions Read() => new()
        {
            Certificates = own is not null ? [own] : [.. files.Select((file, at) => Certificate(file, keys.ElementAtOrDefault(at)))],
            ApplicationProtocols = parsed.GetValue(_protocols) ?? [],
            ClientAuthorities = clients is null ? null : TlsFile.Read("--client-ca", clients, TlsCertificate.ReadAuthorities),
            RequiresClientCertificate = parsed.GetValue(_clientCertificate) != "optional",
            MaxHandshakes = parsed.GetValue(_handshakes) ?? new TlsServerOptions { Certificates = [] }.MaxHandshakes,
        };
    }

    private static TlsCertificate Certificate(string file, string? key)
    {
        TlsFile.Require("--tls-key", key);
        return TlsFile.Read("--tls-cert", file, path => TlsCertificate.Read(path, key));
    }

    /// <summary>A certificate of this process's, or in a process of a model the parent's.</summary>
    private static TlsCertificate SelfSigned(ServerOptions options)
    {
        if (Server.IsWorker && Environment.GetEnvironmentVariable(SelfSignedVariable) is { } given)
        {
            return TlsCertificate.OfPfx(Convert.FromBase64String(given));
        }

        string[] hosts = [.. options.Doors.Select(static door => door.Endpoint.Host).OfType<string>().Where(static host => host != "*")];
        string[] own = ["localhost", "127.0.0.1", "::1", Environment.MachineName];
        TlsCertificate made = TlsCertificate.SelfSigned([.. hosts.Concat(own).Where(IsName).Distinct(StringComparer.OrdinalIgnoreCase)]);
        if (options.Model?.Name is "process" or "prefork")
        {
            Environment.SetEnvironmentVariable(SelfSignedVariable, Convert.ToBase64String(made.ToPfx()));
        }

        return made;
    }

    private static bool IsName(string host) => Uri.CheckHostName(host) != UriHostNameType.Unknown && host.All(char.IsAscii);
}
