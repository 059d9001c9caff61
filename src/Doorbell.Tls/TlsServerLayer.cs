using System.Net.Security;
using System.Text;
using Doorbell.Sessions;

namespace Doorbell.Tls;

/// <summary>TLS at the side that was connected to.</summary>
/// <param name="handshakes">Those of all connections.</param>
/// <param name="choose">What a client is shown that asks for this name, empty for none.</param>
internal sealed class TlsServerLayer(TlsHandshakes handshakes, Func<string, SslServerAuthenticationOptions> choose) : TlsLayer
{
    private static readonly ServerOptionsSelectionCallback _select =
        static (_, hello, layer, _) => ((TlsServerLayer)layer!).Select(hello.ServerName);

    /// <summary>What an HTTP server answers who is spoken to in plain text at a port for TLS; nginx does too.</summary>
    private static readonly byte[] _httpAnswer = Encoding.ASCII.GetBytes(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
            + "This port speaks TLS: ask for https://.\n");

    private string? _serverName;
    private bool _isUnderWay;

    protected override string? ServerName => _serverName;

    public override LayerState Begin(OutputBuffer wire)
    {
        if (!handshakes.TryBegin())
        {
            Failure = $"{handshakes.Most} TLS handshakes are under way (MaxHandshakes)";
            return LayerState.Refused;
        }

        _isUnderWay = true;
        return base.Begin(wire);
    }

    protected override bool IsClient => false;

    protected override Task AuthenticateAsync(SslStream stream) => stream.AuthenticateAsServerAsync(_select, this);

    protected override void HandshakeOver()
    {
        if (_isUnderWay)
        {
            _isUnderWay = false;
            handshakes.Over();
        }
    }

    protected override void AnswerPlain(ReadOnlySpan<byte> came, OutputBuffer wire)
    {
        if (came.StartsWith("GET "u8) || came.StartsWith("HEAD "u8) || came.StartsWith("POST "u8) || came.StartsWith("PUT "u8)
            || came.StartsWith("OPTIONS "u8))
        {
            wire.Write(_httpAnswer);
        }
    }

    private ValueTask<SslServerAuthenticationOptions> Select(string? name)
    {
        _serverName = name;
        return new ValueTask<SslServerAuthenticationOptions>(choose(name ?? ""));
    }
}
