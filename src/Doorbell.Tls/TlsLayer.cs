using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using Doorbell.Sessions;

namespace Doorbell.Tls;

/// <summary>
/// TLS between the wire and a handler. It takes whole records only, and one at a time: what follows the peer's Finished stays input of the
/// session's, which looks after it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Whoever calls a layer says Closed, which disposes of the session.")]
internal abstract class TlsLayer : StreamLayer
{
    private readonly TlsSession _session = new();
    private TlsInfo? _info;
    private bool _hasHeard;
    private bool _isOver;

    public override int MaxUnitBytes => TlsRecord.MaxBytes;

    public override object? Fact => _info;

    /// <summary>Which name the client asked for; null if none.</summary>
    protected abstract string? ServerName { get; }

    public override LayerState Begin(OutputBuffer wire)
    {
        try
        {
            _session.Begin(AuthenticateAsync, wire);
            return LayerState.Opening;
        }
        catch (Exception failure) when (failure is not PendingOutputException)
        {
            return Fail(TlsFailure.Of(failure));
        }
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
    {
        int length = TlsRecord.Length(came);
        if (length < 0 || (length > 0 && !_hasHeard && came[0] != TlsRecord.HandshakeType && came[0] != TlsRecord.AlertType))
        {
            AnswerPlain(came, wire);
            return new Unwrapped(0, 0, Fail(_hasHeard ? TlsFailure.NoRecord : TlsFailure.NoTls(came)));
        }

        if (length == 0 || length > came.Length)
        {
            return new Unwrapped(0, 0, State);
        }

        _hasHeard = true;
        try
        {
            if (_session.IsOpen)
            {
                int count = _session.Read(came[..length], plain, wire);
                return new Unwrapped(length, Math.Max(count, 0), count < 0 ? LayerState.PeerFinished : LayerState.Open);
            }

            _session.Handshake(came[..length], wire);
            if (_session.IsOpen)
            {
                if (_session.Stream.Refusal is { } refusal)
                {
                    if (IsClient)
                    {
                        _session.Shutdown(wire);
                    }

                    return new Unwrapped(length, 0, Fail(refusal));
                }

                HandshakeOver();
                _info = TlsInfo.Of(_session.Stream, ServerName);
            }

            return new Unwrapped(length, 0, State);
        }
        catch (Exception failure) when (failure is not PendingOutputException)
        {
            return new Unwrapped(length, 0, Fail(TlsFailure.Of(failure)));
        }
    }

    public override void Wrap(ReadOnlySpan<byte> plain, OutputBuffer wire) => _session.Write(plain, wire);

    public override void Finish(OutputBuffer wire) => _session.Shutdown(wire);

    public override void Closed()
    {
        if (!_isOver)
        {
            _isOver = true;
            HandshakeOver();
            _session.Dispose();
        }
    }

    /// <summary>
    /// A server that refuses its client writes no close_notify: to the client the handshake went well, so that what it sent would look
    /// taken.
    /// </summary>
    protected abstract bool IsClient { get; }

    /// <summary>Begins the handshake.</summary>
    protected abstract Task AuthenticateAsync(SslStream stream);

    /// <summary>The handshake is over, one way or the other. May be called twice.</summary>
    protected virtual void HandshakeOver()
    {
    }

    /// <summary>The peer does not speak TLS: tells it so, if its protocol has a word for that.</summary>
    /// <param name="came">What came first.</param>
    /// <param name="wire">Where to write.</param>
    protected virtual void AnswerPlain(ReadOnlySpan<byte> came, OutputBuffer wire)
    {
    }

    private LayerState State => _session.IsOpen ? LayerState.Open : LayerState.Opening;

    private LayerState Fail(string why)
    {
        HandshakeOver();
        Failure = why;
        return LayerState.Failed;
    }
}
