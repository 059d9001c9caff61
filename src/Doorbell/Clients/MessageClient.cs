using System.Net.Sockets;
using Doorbell.Clients;
using Doorbell.Native;

namespace Doorbell;

/// <summary>
/// Asks a server of messages: a question has one answer, and the answers come in the order of the questions. It makes its connections
/// when they are needed, makes new ones for those that have ended, and keeps them within bounds.
/// </summary>
/// <remarks>
/// <para>Any number of threads may ask at once.</para>
/// <para>An answer is always its question's. After a time-out or a cancellation the late answer could be taken for the next one's, so the
/// connection is given up and replaced; questions that were sent behind that one fail. What the server had said before a question was
/// sent is an error, not an answer.</para>
/// <para>A question that was sent is never sent again by itself: whether the server acted on it can't be known.</para>
/// </remarks>
public sealed class MessageClient : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Endpoint _endpoint;
    private readonly AnswerFraming _framing;
    private readonly MessageClientOptions _options;
    private readonly Slot[] _slots;
    private readonly SemaphoreSlim _places;
    private readonly ReconnectDelay _delay = new();
    private readonly CancellationTokenSource _disposed = new();

    internal MessageClient(Endpoint endpoint, AnswerFraming framing, MessageClientOptions options)
    {
        if (!endpoint.IsStream)
        {
            throw new ArgumentException($"{endpoint} carries datagrams, which need no framing.", nameof(endpoint));
        }

        options.Validate();
        options.Sockets.Validate(endpoint);
        _endpoint = endpoint;
        _framing = framing;
        _options = options;
        _slots = new Slot[options.MaxConnections];
        for (int i = 0; i < _slots.Length; i++)
        {
            _slots[i] = new Slot();
        }

        _places = new SemaphoreSlim(options.MaxConnections * options.MaxPipelined);
    }

    /// <summary>
    /// What the server said first on the newest connection, without its framing; empty without
    /// <see cref="MessageClientOptions.ReadsGreeting"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Greeting { get; private set; }

    /// <summary>The address that the newest connection reached.</summary>
    internal PeerAddress Peer { get; private set; }

    /// <summary>A client that connects when it is first asked.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="framing">Where a message ends, both ways.</param>
    /// <param name="options">Its bounds; null for <see cref="MessageClientOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option makes no sense.</exception>
    public static MessageClient Create(Endpoint endpoint, Framing framing, MessageClientOptions? options = null) =>
        new(endpoint, new AnswerFraming(framing), options ?? MessageClientOptions.Default);

    /// <summary>A client that has made its first connection.</summary>
    /// <param name="endpoint">A TCP or unix stream endpoint.</param>
    /// <param name="framing">Where a message ends, both ways.</param>
    /// <param name="options">Its bounds; null for <see cref="MessageClientOptions.Default"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ArgumentException">The endpoint carries datagrams, or an option makes no sense.</exception>
    /// <exception cref="NetworkException">No address answered, the kernel refuses an option, or no greeting came.</exception>
    public static Task<MessageClient> ConnectAsync(
        Endpoint endpoint, Framing framing, MessageClientOptions? options = null, CancellationToken cancellation = default) =>
        Create(endpoint, framing, options).ConnectedAsync(cancellation);

    /// <summary>Sends one question and waits for its answer.</summary>
    /// <param name="message">Without its framing.</param>
    /// <param name="timeout">Bounds all of it: a free place, the connection, sending, the answer.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The answer without its framing; the caller's own.</returns>
    /// <exception cref="ArgumentException">The framing can't carry the message, or would carry it as several.</exception>
    /// <exception cref="NetworkException">
    /// No connection could be made, or it ended without an answer, or what came is no answer to this question, or time ran out: then it is
    /// an <see cref="IncompleteReplyException"/>, whose <see cref="IncompleteReplyException.Reply"/> has what came of the answer.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> gave up.</exception>
    public Task<byte[]> AskAsync(ReadOnlyMemory<byte> message, TimeSpan timeout, CancellationToken cancellation = default) =>
        AskAsync(message, onPiece: null, timeout, cancellation);

    /// <summary>Closes all connections; questions under way fail.</summary>
    public void Dispose()
    {
        _disposed.Cancel();
        lock (_lock)
        {
            foreach (Slot slot in _slots)
            {
                slot.Connection?.Dispose();
            }
        }
    }

    /// <summary>The same, with the answer's pieces as they come, if they are asked for and the framing can tell them.</summary>
    /// <returns>The whole answer, or its last piece.</returns>
    internal async Task<byte[]> AskAsync(
        ReadOnlyMemory<byte> message, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask>? onPiece, TimeSpan timeout,
        CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        byte[] framed = _framing.Frame(message.Span);
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _disposed.Token);
        deadline.CancelAfter(timeout);
        Question? asked = null;
        try
        {
            await _places.WaitAsync(deadline.Token).ConfigureAwait(false);
            Slot slot = TakeSlot();
            try
            {
                (byte[]? answer, asked) = await AskAsync(slot, framed, onPiece, deadline.Token).ConfigureAwait(false);
                if (answer is not null)
                {
                    _delay.Reset();
                    return answer;
                }
            }
            finally
            {
                GiveBack(slot);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // Why is told below.
        }
        catch (NetworkException) when (_disposed.IsCancellationRequested)
        {
            // Its connection was closed by Dispose.
        }

        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        throw TimedOut(timeout, asked);
    }

    internal async Task<MessageClient> ConnectedAsync(CancellationToken cancellation)
    {
        try
        {
            await ConnectionOfAsync(_slots[0], cancellation).ConfigureAwait(false);
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The answer, or null and the question that time ran out for.</summary>
    private async Task<(byte[]? Answer, Question Asked)> AskAsync(
        Slot slot, byte[] framed, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask>? onPiece, CancellationToken deadline)
    {
        while (true)
        {
            MessageConnection connection = await ConnectionOfAsync(slot, deadline).ConfigureAwait(false);
            Question question = new(framed, isInPieces: onPiece is not null) { Sending = _options.Sockets.Sending };
            if (!connection.TryAsk(question))
            {
                continue;
            }

            try
            {
                if (onPiece is not null)
                {
                    await question.TakePiecesAsync(onPiece, deadline).ConfigureAwait(false);
                }

                await question.Answer.WaitAsync(deadline).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                if (connection.Abandon(question) || (onPiece is not null && question.Answer.IsFaulted))
                {
                    return (null, question);
                }
            }
            catch
            {
                // Whoever takes the pieces failed, and takes no more.
                connection.Abandon(question);
                question.TakeRest();
                throw;
            }

            if (await question.Answer.ConfigureAwait(false) is { } answer)
            {
                return (onPiece is null ? answer : [.. question.TakeRest(), .. answer], question);
            }

            deadline.ThrowIfCancellationRequested();
        }
    }

    private IncompleteReplyException TimedOut(TimeSpan timeout, Question? asked)
    {
        string target = _endpoint.ToString();
        string came = asked is { Came: > 0 } ? $"the reply has no end after {asked.Came} bytes" : "no reply";
        return new IncompleteReplyException(
            "receive",
            target,
            $"{came} within {timeout.TotalSeconds:0.###} s",
            SocketError.TimedOut,
            Advice.For("receive", SocketError.TimedOut, target),
            asked?.TakeRest() ?? []);
    }

    /// <summary>A connection at rest rather than a new one, and a new one rather than one that has a question on its way.</summary>
    private Slot TakeSlot()
    {
        lock (_lock)
        {
            Slot best = _slots.Where(slot => slot.Questions < _options.MaxPipelined)
                .MinBy(static slot => (slot.Questions, slot.Connection is { IsUsable: true } ? 0 : 1))!;
            best.Questions++;
            return best;
        }
    }

    private void GiveBack(Slot slot)
    {
        lock (_lock)
        {
            slot.Questions--;
        }

        _places.Release();
    }

    private async Task<MessageConnection> ConnectionOfAsync(Slot slot, CancellationToken deadline)
    {
        Task<MessageConnection> connecting;
        lock (_lock)
        {
            if (slot.Connection is { IsUsable: true } connected)
            {
                return connected;
            }

            // One connects for all who wait for it, and goes on if one of them gives up.
            connecting = slot.Connecting ??= Task.Run(() => ConnectAsync(slot), CancellationToken.None);
        }

        return await connecting.WaitAsync(deadline).ConfigureAwait(false);
    }

    private async Task<MessageConnection> ConnectAsync(Slot slot)
    {
        try
        {
            if (slot.Connection is { } last)
            {
                // Questions ahead of one that was given up have their answers first: there are never more connections than may be.
                await last.Closed.WaitAsync(_disposed.Token).ConfigureAwait(false);
                if (last is { EndedByPeer: true, HasAnswered: false })
                {
                    _delay.Failed();
                }
            }

            await _delay.WaitAsync(_disposed.Token).ConfigureAwait(false);
            MessageConnection connection = await ConnectAsync().ConfigureAwait(false);
            lock (_lock)
            {
                slot.Connecting = null;
                slot.Connection = connection;
                if (_disposed.IsCancellationRequested)
                {
                    connection.Dispose();
                }
            }

            return connection;
        }
        catch
        {
            _delay.Failed();
            lock (_lock)
            {
                slot.Connecting = null;
                slot.Connection = null;
            }

            throw;
        }
    }

    private async Task<MessageConnection> ConnectAsync()
    {
        TimeSpan timeout = _options.ConnectTimeout;
        Task<Socket> connecting = _options.Connect?.Invoke(timeout, _disposed.Token)
            ?? Connector.ConnectAsync(_endpoint, timeout, _options.Sockets, _options.Via, _disposed.Token);
        Socket socket = await connecting.ConfigureAwait(false);
        MessageConnection connection = new(socket, _endpoint, _framing, _options.MaxAnswerBytes, _options.Sockets);
        Peer = connection.Peer;
        if (!_options.ReadsGreeting)
        {
            connection.Begin();
            return connection;
        }

        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        deadline.CancelAfter(timeout);
        try
        {
            Greeting = await connection.ReadGreetingAsync(deadline.Token).ConfigureAwait(false);
            connection.Begin();
            return connection;
        }
        catch (OperationCanceledException) when (!_disposed.IsCancellationRequested)
        {
            connection.Dispose();
            throw new NetworkException(
                "receive",
                _endpoint.ToString(),
                $"no greeting within {timeout.TotalSeconds:0.###} s",
                SocketError.TimedOut,
                "leave out MessageClientOptions.ReadsGreeting if the server waits for questions");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A place for a connection, and how many questions have it.</summary>
    private sealed class Slot
    {
        public MessageConnection? Connection { get; set; }

        public Task<MessageConnection>? Connecting { get; set; }

        public int Questions { get; set; }
    }
}
