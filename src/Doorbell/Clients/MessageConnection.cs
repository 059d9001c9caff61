using System.Net;
using System.Net.Sockets;

namespace Doorbell.Clients;

/// <summary>
/// One connection of a <see cref="MessageClient"/>: questions go out in turn, answers come in the same order. It knows the one thing that
/// matters: whether the next answer belongs to the next question. As soon as that can't be told it takes no more questions.
/// </summary>
/// <remarks>
/// At rest no receive is under way: what has come before a question is sent is found by a receive that doesn't wait, right before. So
/// it can't be taken for the answer.
/// </remarks>
internal sealed class MessageConnection
{
    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly string _target;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<Question> _waiting = new();

    /// <summary>Of which at least one byte may have been sent, in that order.</summary>
    private readonly List<Question> _asked = [];
    private readonly AnswerBuffer _received;
    private SocketException? _sendFailure;
    private bool _sending;
    private bool _receiving;
    private bool _retired;
    private bool _isOver;

    public MessageConnection(Socket socket, Endpoint endpoint, AnswerFraming framing, int maxAnswerBytes)
    {
        _socket = socket;
        _target = endpoint.ToString();
        _received = new AnswerBuffer(framing, maxAnswerBytes, _target);
        Peer = socket.RemoteEndPoint as IPEndPoint is { } ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(endpoint.Path);

        // For the calls that don't wait; asynchronous ones wait as before.
        socket.Blocking = false;
    }

    /// <summary>The address that answered.</summary>
    public PeerAddress Peer { get; }

    /// <summary>Whether it has given an answer.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Whether the server has ended it.</summary>
    public bool EndedByPeer { get; private set; }

    /// <summary>Ends when the socket is closed.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Whether it takes questions.</summary>
    public bool IsUsable
    {
        get
        {
            lock (_lock)
            {
                return !_retired;
            }
        }
    }

    /// <summary>Reads the server's first message. Before the first question.</summary>
    /// <exception cref="NetworkException">It did not come.</exception>
    public async Task<byte[]> ReadGreetingAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                if (_received.TryTake(out byte[] greeting))
                {
                    return greeting;
                }

                int received = await _socket.ReceiveAsync(_received.Room(), cancellation).ConfigureAwait(false);
                _received.Add(received);
                if (received == 0)
                {
                    throw new NetworkException(
                        "receive", _target, "the server closed the connection without a greeting", SocketError.Disconnecting);
                }
            }
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("receive", _target, failure);
        }
    }

    /// <summary>Asks, in turn.</summary>
    /// <returns>False if no question is taken any more.</returns>
    public bool TryAsk(Question question)
    {
        lock (_lock)
        {
            if (_retired)
            {
                return false;
            }

            _waiting.Enqueue(question);
            if (_sending)
            {
                return true;
            }

            _sending = true;
        }

        _ = SendWaitingAsync();
        return true;
    }

    /// <summary>
    /// Nobody waits for the answer any more. If the question was sent, even in part, its answer may still come: whose is the next one can't
    /// be told, so that the connection ends when the questions ahead have theirs, and those behind fail.
    /// </summary>
    /// <param name="question">One that was taken by <see cref="TryAsk"/>.</param>
    /// <param name="part">What has come of its answer.</param>
    /// <returns>False if the question has its answer, or its failure, already.</returns>
    public bool Abandon(Question question, out byte[] part)
    {
        part = [];
        lock (_lock)
        {
            if (question.Answer.IsCompleted)
            {
                return false;
            }

            int place = _asked.IndexOf(question);
            if (place < 0)
            {
                Question[] others = [.. _waiting.Where(other => other != question)];
                _waiting.Clear();
                Array.ForEach(others, _waiting.Enqueue);
                return true;
            }

            if (place == 0)
            {
                part = _received.Part();
            }

            Retire();
            FailFrom(place + 1, GivenUp());
            _asked.RemoveRange(place, _asked.Count - place);
            if (place == 0)
            {
                Close();
            }

            return true;
        }
    }

    /// <summary>Closes at once; what is under way fails.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            Retire();
            FailFrom(0, GivenUp());
            _asked.Clear();
            Close();
        }
    }

    private NetworkException GivenUp() => new(
        "receive",
        _target,
        "the connection was given up, since an earlier question on it was: whose answer comes next could not be told",
        SocketError.ConnectionAborted,
        "ask again");

    /// <summary>No more questions: those that wait are asked elsewhere.</summary>
    private void Retire()
    {
        _retired = true;
        while (_waiting.TryDequeue(out Question? question))
        {
            question.Unsent();
        }
    }

    private void FailFrom(int place, NetworkException failure)
    {
        for (int i = place; i < _asked.Count; i++)
        {
            _asked[i].Failed(failure);
        }
    }

    /// <summary>All that are asked fail, and it is over.</summary>
    private void Fail(NetworkException failure)
    {
        Retire();
        FailFrom(0, failure);
        _asked.Clear();
        Close();
    }

    private void Close()
    {
        if (!_isOver)
        {
            _isOver = true;
            _socket.Dispose();
            _closed.SetResult();
        }
    }

    private async Task SendWaitingAsync()
    {
        while (true)
        {
            Question? question;
            int taken;
            lock (_lock)
            {
                if (!_waiting.TryDequeue(out question))
                {
                    _sending = false;
                    return;
                }

                if (!TryBegin(question, out taken))
                {
                    continue;
                }
            }

            if (taken < question.Framed.Length)
            {
                await SendRestAsync(question, taken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Sends what the kernel takes at once. Under the lock, so that an answer finds the question marked as sent.
    /// </summary>
    private bool TryBegin(Question question, out int taken)
    {
        taken = 0;
        if (!_receiving && !IsInStep(question))
        {
            return false;
        }

        taken = _socket.Send(question.Framed, SocketFlags.None, out SocketError error);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            // Nothing of it was sent. What is asked already may have been answered before the failure: the receive tells.
            EndedByPeer = true;
            Dead(question, NetworkException.From("send", _target, error));
            Retire();
            if (!_receiving)
            {
                Close();
            }

            return false;
        }

        taken = Math.Max(taken, 0);
        question.IsSent = taken == question.Framed.Length;
        _asked.Add(question);
        if (!_receiving)
        {
            _receiving = true;
            _ = ReceiveAnswersAsync();
        }

        return true;
    }

    /// <summary>A connection that has served before is replaced without a word; one that never did tells something of the server.</summary>
    private void Dead(Question question, NetworkException why)
    {
        if (HasAnswered)
        {
            question.Unsent();
        }
        else
        {
            question.Failed(why);
        }
    }

    /// <summary>At rest: nothing has come that nobody asked for, and the server has not ended.</summary>
    private bool IsInStep(Question question)
    {
        while (true)
        {
            _received.DropPadding();
            if (!_received.IsEmpty)
            {
                question.Failed(Unasked());
                Retire();
                Close();
                return false;
            }

            int received = _socket.Receive(_received.Room().Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                return true;
            }

            if (error != SocketError.Success || received == 0)
            {
                EndedByPeer = true;
                Dead(question, error == SocketError.Success ? NoReply() : NetworkException.From("receive", _target, error));
                Retire();
                Close();
                return false;
            }

            _received.Add(received);
        }
    }

    private NetworkException Unasked()
    {
        return new NetworkException(
            "receive",
            _target,
            $"\"{_received.Shown()}\" had come before the question was sent, so it is no answer to it",
            SocketError.ProtocolNotSupported,
            "set MessageClientOptions.ReadsGreeting if the server speaks first; otherwise it "
                + "answered an earlier question with more than one message");
    }

    private NetworkException NoReply() => new(
        "receive",
        _target,
        "the server closed the connection without a reply",
        SocketError.Disconnecting,
        "it may take one question a connection, or have stopped");

    /// <summary>
    /// Sends the rest, or as much as the server takes. A failure matters only if no answer comes: a server that has said all it has to say
    /// may close without reading.
    /// </summary>
    private async Task SendRestAsync(Question question, int taken)
    {
        ReadOnlyMemory<byte> rest = question.Framed.AsMemory(taken);
        try
        {
            while (!rest.IsEmpty)
            {
                rest = rest[await _socket.SendAsync(rest, SocketFlags.None).ConfigureAwait(false)..];
            }

            lock (_lock)
            {
                question.IsSent = true;
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            lock (_lock)
            {
                _sendFailure ??= failure as SocketException;
                Retire();
            }
        }
    }

    private async Task ReceiveAnswersAsync()
    {
        try
        {
            while (GiveAnswers(out Memory<byte> room))
            {
                int received = await _socket.ReceiveAsync(room, SocketFlags.None).ConfigureAwait(false);
                lock (_lock)
                {
                    _received.Add(received);
                    if (received == 0)
                    {
                        End();
                        return;
                    }
                }
            }
        }
        catch (SocketException failure)
        {
            lock (_lock)
            {
                EndedByPeer = !_isOver;
                Fail(NetworkException.From(_sendFailure is null ? "receive" : "send", _target, _sendFailure ?? failure));
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed by us: whoever waited has been told.
        }
        catch (NetworkException failure)
        {
            lock (_lock)
            {
                Fail(failure);
            }
        }
    }

    /// <summary>Gives what has come to those who asked.</summary>
    /// <param name="room">Where more is to be received.</param>
    /// <returns>Whether more is to be received.</returns>
    private bool GiveAnswers(out Memory<byte> room)
    {
        lock (_lock)
        {
            while (_asked.Count > 0 && _received.TryTake(out byte[] answer))
            {
                Give(answer);
            }

            _receiving = _asked.Count > 0;
            if (!_receiving && _retired)
            {
                Close();
            }

            bool more = _receiving && !_isOver;
            room = more ? _received.Room() : default;
            return more;
        }
    }

    private void Give(byte[] answer)
    {
        Question question = _asked[0];
        _asked.RemoveAt(0);
        HasAnswered = true;
        if (!question.IsSent)
        {
            // What the server will make of the rest can't be known: perhaps another question, with another answer.
            Retire();
        }

        question.Answered(answer);
    }

    private void End()
    {
        EndedByPeer = true;
        Retire();
        int received = _received.DropPadding();
        if (_asked.Count > 0 && _received.TryTakeAtEnd(out byte[] answer))
        {
            Give(answer);
        }
        else if (received > 0)
        {
            FailFrom(0, new NetworkException(
                "receive",
                _target,
                $"the server closed the connection in the middle of a reply, after {received} bytes of it",
                SocketError.Disconnecting,
                "look at its log"));
            _asked.Clear();
        }

        Fail(_sendFailure is null ? NoReply() : NetworkException.From("send", _target, _sendFailure));
    }
}
