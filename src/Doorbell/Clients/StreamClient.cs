using Doorbell.Clients;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// The classic client of a line service: one connection, one question after the other, and replies as textbook servers write them; see
/// <see cref="LineReply"/>.
/// </summary>
/// <remarks>
/// A <see cref="MessageClient"/> for lines. Any thread may ask; who asks while a question is on its way waits, within its time-out. A
/// connection that has ended, or on which a question was given up, is replaced by the next question.
/// </remarks>
public sealed class StreamClient : IDisposable
{
    private readonly MessageClient _client;

    private StreamClient(MessageClient client) => _client = client;

    /// <summary>The address that answered.</summary>
    public PeerAddress Peer => _client.Peer;

    /// <summary>Connects; see <see cref="Connector.ConnectAsync(Endpoint, TimeSpan, CancellationToken)"/>.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered.</exception>
    public static Task<StreamClient> ConnectAsync(Endpoint endpoint, TimeSpan timeout, CancellationToken cancellation) =>
        ConnectAsync(endpoint, timeout, ClientOptions.Default, cancellation);

    /// <summary>Connects; see <see cref="Connector.ConnectAsync(Endpoint, TimeSpan, ClientOptions, CancellationToken)"/>.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="timeout">Bounds resolving and connecting together.</param>
    /// <param name="options">How to make the sockets.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered, or the kernel refuses an option.</exception>
    /// <exception cref="ArgumentException">An option has no effect on the endpoint.</exception>
    public static Task<StreamClient> ConnectAsync(
        Endpoint endpoint, TimeSpan timeout, ClientOptions options, CancellationToken cancellation) =>
        ConnectAsync(endpoint, MessageClientOptions.Default with { ConnectTimeout = timeout, Sockets = options }, cancellation);

    /// <summary>Connects, with all that a <see cref="MessageClient"/> can be told, such as that the server speaks first.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="options">Its bounds.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">No address answered, the kernel refuses an option, or no greeting came.</exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    public static async Task<StreamClient> ConnectAsync(
        Endpoint endpoint, MessageClientOptions options, CancellationToken cancellation)
    {
        MessageClient client = new(endpoint, FramingOf(options), options);
        return new StreamClient(await client.ConnectedAsync(cancellation).ConfigureAwait(false));
    }

    private static AnswerFraming FramingOf(MessageClientOptions options) =>
        options.HalfCloses ? new WholeAnswerFraming()
        : options.IsLastLine is { } isLast ? new LinesAnswerFraming(options.KeepsCarriageReturn, isLast)
        : new LineAnswerFraming(options.KeepsCarriageReturn);

    /// <summary>
    /// What the server said first, without its end; empty without <see cref="MessageClientOptions.ReadsGreeting"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Greeting => _client.Greeting;

    /// <summary>Sends one line in one write and waits for one reply, however it is cut and ended; see <see cref="LineReply"/>.</summary>
    /// <param name="line">Without its end; an LF is added.</param>
    /// <param name="timeout">Bounds the whole exchange.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The reply without its end: LF, CRLF or NUL; see <see cref="MessageClientOptions.KeepsCarriageReturn"/>.</returns>
    /// <exception cref="ArgumentException">The line holds an LF or a NUL, which end it: it would be several questions.</exception>
    /// <exception cref="NetworkException">
    /// The connection failed or ended first, what came is no reply to this line, or time ran out;
    /// <see cref="IncompleteReplyException.Reply"/> has what came of a reply.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> gave up.</exception>
    public Task<byte[]> AskAsync(ReadOnlyMemory<byte> line, TimeSpan timeout, CancellationToken cancellation) =>
        _client.AskAsync(line, timeout, cancellation);

    /// <summary>
    /// The same for a reply of any length: what has come of it is handed on while the rest is still coming, and no more than some 100 KiB
    /// of it are held.
    /// </summary>
    /// <param name="line">Without its end; an LF is added.</param>
    /// <param name="onPiece">
    /// Takes a piece, which is good until it returns; the pieces come one after the other. A server that is faster waits for it. Its token
    /// says that time is up or that the caller has given up; only when it has returned does the question end. If it throws, the question
    /// fails with that exception.
    /// </param>
    /// <param name="timeout">Bounds the whole exchange, with the time that <paramref name="onPiece"/> takes.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>
    /// The reply's last piece, without its end. A short reply that comes at once has no other one. A piece may end within a character.
    /// </returns>
    /// <exception cref="ArgumentException">The line holds an LF or a NUL, which end it: it would be several questions.</exception>
    /// <exception cref="NetworkException">
    /// The connection failed or ended first, what came is no reply to this line, or time ran out;
    /// <see cref="IncompleteReplyException.Reply"/> has what came of a reply behind the pieces.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> gave up.</exception>
    public Task<byte[]> AskAsync(
        ReadOnlyMemory<byte> line, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> onPiece, TimeSpan timeout,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(onPiece);
        return _client.AskAsync(line, onPiece, timeout, cancellation);
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _client.Dispose();
}
