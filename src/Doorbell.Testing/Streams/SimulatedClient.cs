using System.Buffers;

namespace Doorbell.Testing;

/// <summary>
/// A client that does what the test's script says, as well behaved or as bad as that wants it. It reads all that comes, unless told
/// otherwise.
/// </summary>
public sealed class SimulatedClient : IHandshakeClient
{
    private readonly SimulatedNetwork _network;
    private readonly StreamEnd _end;
    private readonly StreamDirection _output;
    private readonly ByteQueue _unsent = new();
    private readonly ArrayBufferWriter<byte> _received = new();
    private readonly Pace _reading = new();
    private readonly Pace _sending = new();
    private readonly VirtualTimer _timer;
    private long _resetAfterSending = long.MaxValue;
    private long _resetAfterReceiving = long.MaxValue;
    private bool _endAsked;
    private bool _isReading = true;
    private bool _isSending = true;
    private bool _isMoving;
    private bool _hasToldEnd;

    internal SimulatedClient(SimulatedNetwork network, StreamDirection input, StreamDirection output)
    {
        _network = network;
        _output = output;
        _timer = new VirtualTimer(network, Move);
        _end = new StreamEnd(input, output) { OnChange = Move };
    }

    /// <summary>All that it has received.</summary>
    public ReadOnlySpan<byte> Received => _received.WrittenSpan;

    /// <summary>How many bytes have left it; what <see cref="Send"/> was given beyond that waits.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Whether the server's kernel has answered: it may not have been accepted yet.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Whether the server has ended, and all before that is received.</summary>
    public bool ServerEnded => _end.AtEnd;

    /// <summary>Why it failed, if it did.</summary>
    public ConnectionFailure Failure { get; private set; }

    /// <summary>Whether it was refused, or reset by the server.</summary>
    public bool WasReset => Failure is ConnectionFailure.Refused or ConnectionFailure.Reset;

    /// <summary>Bytes it reads in a second at most; 0, the default, for no limit. A slow reader.</summary>
    public int ReadBytesPerSecond
    {
        get => _reading.BytesPerSecond;
        set
        {
            _reading.Set(value, _network.Now);
            Move();
        }
    }

    /// <summary>Bytes it sends in a second at most; 0, the default, for no limit. A slow writer.</summary>
    public int SendBytesPerSecond
    {
        get => _sending.BytesPerSecond;
        set
        {
            _sending.Set(value, _network.Now);
            Move();
        }
    }

    /// <summary>Called whenever it has received something, or the connection was made, has ended or failed.</summary>
    public Action? Changed { get; set; }

    /// <summary>It has closed or reset the connection, or that failed.</summary>
    private bool _isOver;

    /// <summary>Sends, as fast as the server takes it.</summary>
    /// <param name="bytes">Copied.</param>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        _unsent.Enqueue(bytes);
        Move();
    }

    /// <summary>Half-closes after what it has sent.</summary>
    public void End()
    {
        _endAsked = true;
        Move();
    }

    /// <summary>
    /// Closes as close(2) does: what is not yet sent is lost, and so is what still comes; that is answered with a reset, and so is what
    /// has come unread.
    /// </summary>
    public void Close()
    {
        _isOver = true;
        if (IsConnected)
        {
            _end.Close();
        }
    }

    /// <summary>Resets the connection; what is on its way arrives before that, what is not yet sent is lost.</summary>
    public void Reset()
    {
        _isOver = true;
        if (IsConnected)
        {
            _end.Abort();
        }
    }

    /// <summary>Resets the connection as soon as it has sent so many bytes in all, not one more.</summary>
    /// <param name="bytes">From 0 on.</param>
    public void ResetAfterSending(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _resetAfterSending = bytes;
        Move();
    }

    /// <summary>Resets the connection as soon as it has read so many bytes in all, not one more.</summary>
    /// <param name="bytes">From 0 on.</param>
    public void ResetAfterReceiving(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _resetAfterReceiving = bytes;
        Move();
    }

    /// <summary>Reads no more, until <see cref="ResumeReading"/>: the server's output backs up.</summary>
    public void StopReading() => _isReading = false;

    /// <summary>Reads again.</summary>
    public void ResumeReading()
    {
        _isReading = true;
        Move();
    }

    /// <summary>Sends no more, its end neither, until <see cref="ResumeSending"/>: with <see cref="StopReading"/> it has stalled.</summary>
    public void StopSending() => _isSending = false;

    /// <summary>Sends again.</summary>
    public void ResumeSending()
    {
        _isSending = true;
        Move();
    }

    bool IHandshakeClient.IsOver => _isOver;

    void IHandshakeClient.Connected()
    {
        IsConnected = true;
        _output.Open();
        Move();
        Changed?.Invoke();
    }

    void IHandshakeClient.Fail(ConnectionFailure why) => Fail(why);

    private void Fail(ConnectionFailure why)
    {
        Failure = why;
        Close();
        Changed?.Invoke();
    }

    /// <summary>Moves what can be moved. Reading makes room, which calls this again: that is left to the outer call.</summary>
    private void Move()
    {
        if (_isMoving || _isOver || !IsConnected)
        {
            return;
        }

        _isMoving = true;
        bool isNews = Read() || (ServerEnded && !_hasToldEnd);
        _hasToldEnd = ServerEnded;
        Write();
        SetTimer();
        if (SentBytes >= _resetAfterSending || _received.WrittenCount >= _resetAfterReceiving)
        {
            Reset();
        }

        _isMoving = false;
        if (!_isOver && _end.Lost is { } lost)
        {
            Fail(lost == CloseReason.PeerReset ? ConnectionFailure.Reset : ConnectionFailure.TimedOut);
        }
        else if (isNews)
        {
            Changed?.Invoke();
        }
    }

    private bool Read()
    {
        int most = (int)Math.Clamp(_resetAfterReceiving - _received.WrittenCount, 0, _end.Readable);
        int count = _isReading ? _reading.Allow(most, _network.Now) : 0;
        if (count == 0)
        {
            return false;
        }

        _end.Receive(_received.GetSpan(count)[..count]);
        _received.Advance(count);
        _reading.Use(count);
        return true;
    }

    private void Write()
    {
        int most = (int)Math.Clamp(_resetAfterSending - SentBytes, 0, Math.Min(_unsent.Count, _end.Room));
        int count = _isSending ? _sending.Allow(most, _network.Now) : 0;
        if (count > 0)
        {
            _end.Send(_unsent.Peek(count));
            _unsent.Skip(count);
            _sending.Use(count);
            SentBytes += count;
        }

        if (_isSending && _endAsked && _unsent.Count == 0)
        {
            _end.Finish();
        }
    }

    private void SetTimer()
    {
        TimeSpan at = TimeSpan.MaxValue;
        if (_reading.BytesPerSecond > 0 && _isReading && _end.Readable > 0)
        {
            at = _reading.NextAt;
        }

        if (_sending.BytesPerSecond > 0 && _isSending && _unsent.Count > 0 && _end.Room > 0)
        {
            at = _sending.NextAt < at ? _sending.NextAt : at;
        }

        _timer.At = at;
    }
}
