using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Clients;

/// <summary>
/// One connection of a <see cref="MessageClient"/>: questions go out in turn, answers come in the same order. It knows the one thing that
/// matters: whether the next answer belongs to the next question. As soon as that can't be told it takes no more questions.
/// </summary>
/// <remarks>
/// At rest it waits for news, and so hears at once that the server has ended: a server that stops waits for its clients' ends. What has
/// come before a question is sent is found by a receive that doesn't wait, right before. So it can't be taken for the answer.
/// </remarks>
internal sealed class MessageConnection
{
    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly string _target;
    private readonly MessageErrors _errors;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Queue<Question> _waiting = new();

    /// <summary>Of which at least one byte may have been sent, in that order.</summary>
    private readonly List<Question> _asked = [];
    private readonly AnswerBuffer _received;
    private SocketException? _sendFailure;

    /// <summary>How the server has ended at rest: the kernel tells that once, and the next question is told.</summary>
    private SocketError _failureAtRest;
    private bool _sending;

    /// <summary>An answer is awaited.</summary>
    private bool _receiving;
    private bool _retired;
    private bool _isOver;

    public MessageConnection(Socket socket, Endpoint endpoint, AnswerFraming framing, int maxAnswerBytes, ClientOptions options)
    {
        _socket = socket;
        _target = endpoint.ToString();
        _errors = new MessageErrors(_target);
        _received = new AnswerBuffer(framing, maxAnswerBytes, _target, options.Received);
        Peer = socket is LayeredSocket layered ? layered.Peer
            : socket.RemoteEndPoint as IPEndPoint is { } ip ? PeerAddress.From(ip) : PeerAddress.FromUnix(endpoint.Path);

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
    public Task<byte[]> ReadGreetingAsync(CancellationToken cancellation) => _received.ReceiveFirstAsync(_socket, cancellation);

    /// <summary>Begins to receive, behind the greeting if there is one. Before the first question.</summary>
    public void Begin() => _ = ReceiveAnswersAsync();

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
    /// <returns>False if the question has its answer, or its failure, already.</returns>
    public bool Abandon(Question question)
    {
        lock (_lock)
        {
            if (question.Answer.IsCompleted)
            {
                return false;
            }

            int place = _asked.IndexOf(question);
            if (place < 0)
            {
                _waiting = new Queue<Question>(_waiting.Where(other => other != question));
                return true;
            }

            Retire();
            FailFrom(place + 1, _errors.GivenUp());
            _asked.RemoveRange(place, _asked.Count - place);
            if (place == 0)
            {
                question.CutOff(_received.Part());
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
            Fail(_errors.GivenUp());
        }
    }

    /// <summary>No more questions: those that wait are asked elsewhere.</summary>
    private void Retire()
    {
        _retired = true;
        while (_waiting.TryDequeue(out Question? question))
        {
            question.Unsent();
        }
    }

    private void FailFrom(int place, NetworkException failure) =>
        _asked[place..].ForEach(question => question.Failed(failure));

    /// <summary>All that are asked fail, and it is over.</summary>
    private void Fail(NetworkException failure)
    {
        Retire();
        if (_asked is [{ IsInPieces: true, Came: > 0 } begun, ..])
        {
            begun.CutOff(_received.Part());
        }

        FailFrom(0, failure);
        _asked.Clear();
        Close();
    }

    private void Close()
    {
        if (!_isOver)
        {
            _isOver = true;
            SocketClosing.InOrder(_socket);
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

    /// <summary>Sends what the kernel takes at once. Under the lock, so that an answer finds the question marked as sent.</summary>
    private bool TryBegin(Question question, out int taken)
    {
        if (!_receiving && !IsInStep(question))
        {
            taken = 0;
            return false;
        }

        question.Sending?.Invoke(question.Framed);
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
        _receiving = true;
        EndQuestion(question);
        return true;
    }

    /// <summary>Where our side of the connection ends behind a question, nothing more can be asked on it.</summary>
    private void EndQuestion(Question question)
    {
        if (_received.HalfCloses && question.IsSent && !_isOver)
        {
            Retire();
            SocketClosing.EndSending(_socket);
        }
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
        bool isOpen = TakeAtRest();
        if (_received.DropPadding() > 0)
        {
            question.Failed(_errors.Unasked(_received.Shown()));
        }
        else if (!isOpen)
        {
            bool isOrderly = _failureAtRest == SocketError.Success;
            Dead(question, isOrderly ? _errors.NoReply() : NetworkException.From("receive", _target, _failureAtRest));
        }
        else
        {
            return true;
        }

        Retire();
        Close();
        return false;
    }

    /// <summary>Takes what has come at rest, which nobody has asked for.</summary>
    /// <returns>False if the server has ended.</returns>
    private bool TakeAtRest()
    {
        while (!EndedByPeer && !_received.IsFull)
        {
            int received = _socket.Receive(_received.Room().Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock)
            {
                return true;
            }

            EndedByPeer = error != SocketError.Success || received == 0;
            _failureAtRest = error;
            _received.Add(received);
            _received.DropPadding();
        }

        return !EndedByPeer;
    }

    /// <summary>
    /// The server has ended at rest. A connection that has something to tell is kept for the next question; the server gets our end all the
    /// same.
    /// </summary>
    private void EndAtRest()
    {
        if (HasAnswered && _received.IsEmpty)
        {
            Retire();
            Close();
        }
        else if (_failureAtRest == SocketError.Success)
        {
            SocketClosing.EndSending(_socket);
        }
    }

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
                EndQuestion(question);
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
            while (GiveAnswers(out Memory<byte> room, out ValueTask<FlushResult> handedOn))
            {
                _ = await handedOn.ConfigureAwait(false);
                int received = await _socket.ReceiveAsync(room, SocketFlags.None).ConfigureAwait(false);
                lock (_lock)
                {
                    if (!TakeReceived(received, wasAtRest: room.IsEmpty))
                    {
                        return;
                    }
                }
            }
        }
        catch (SocketException failure)
        {
            lock (_lock)
            {
                // Otherwise it is closed by us: whoever waited has been told.
                EndedByPeer |= !_isOver;
                if (_receiving)
                {
                    Fail(_errors.Ended(_socket, _sendFailure, failure));
                }
                else if (!_isOver)
                {
                    _failureAtRest = failure.SocketErrorCode;
                    EndAtRest();
                }
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

    /// <summary>A receive has ended.</summary>
    /// <param name="received">How many bytes.</param>
    /// <param name="wasAtRest">It was to take none.</param>
    /// <returns>Whether there is more to receive.</returns>
    private bool TakeReceived(int received, bool wasAtRest)
    {
        if (_isOver)
        {
            return false;
        }

        if (!wasAtRest)
        {
            _received.Add(received);
            if (received == 0)
            {
                End();
            }

            return received != 0;
        }

        if (_receiving || TakeAtRest())
        {
            // Of too much that nobody asked for the next question hears.
            return _receiving || !_received.IsFull;
        }

        EndAtRest();
        return false;
    }

    /// <summary>Gives what has come to those who asked.</summary>
    /// <param name="room">Where more is to be received; nowhere at rest.</param>
    /// <param name="handedOn">Ends when more is to be received, or to be waited for.</param>
    /// <returns>Whether it is.</returns>
    private bool GiveAnswers(out Memory<byte> room, out ValueTask<FlushResult> handedOn)
    {
        handedOn = default;
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

            if (_asked is [{ IsInPieces: true } asked, ..] && _received.Piece() is { IsEmpty: false } piece)
            {
                handedOn = asked.HandOn(piece);
                _received.DropPiece(piece.Length);
            }

            room = _receiving && !_isOver ? _received.Room() : default;
            return !_isOver;
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
        long received = _received.DropPadding() + (_asked is [var asked, ..] ? asked.Came : 0);
        if (_asked.Count > 0 && _received.TryTakeAtEnd(out byte[] answer))
        {
            Give(answer);
            received = 0;
        }

        Fail(received > 0 ? _errors.CutOff(received)
            : _sendFailure is null ? _errors.NoReply() : NetworkException.From("send", _target, _sendFailure));
    }
}
