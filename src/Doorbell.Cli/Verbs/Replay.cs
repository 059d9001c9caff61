using System.Net.Sockets;
using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Says to a server what a recorded client has said, and compares the answers. What was sent behind an answer is sent once that answer has
/// come; what was sent behind something sent is sent after the recorded pause.
/// </summary>
/// <param name="path">The recording.</param>
/// <param name="socket">Connected; the caller's.</param>
/// <param name="target">The connection, to name in errors.</param>
/// <param name="patience">How much longer than the recorded server this one may take.</param>
internal sealed class Replay(string path, Socket socket, string target, TimeSpan patience) : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private const int ShownBytes = 40;

    private readonly string _file = PrintableText.Escape(path);
    private readonly SemaphoreSlim _moved = new(0);

    /// <summary>How many bytes have come, all as recorded.</summary>
    private long _received;
    private volatile bool _hasEnded;

    /// <summary>Is told what is sent and what has come.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>Replays it.</summary>
    /// <returns>What is different; null if nothing is.</returns>
    /// <exception cref="ConfigurationException">The file is no recording.</exception>
    public async Task<string?> RunAsync()
    {
        using CancellationTokenSource over = new();
        Task<string?> comparing = CompareAsync(over.Token);
        try
        {
            Task<string?> first = await Task.WhenAny(SendAsync(comparing, over.Token), comparing);
            string? difference = await first;
            if (difference is null && first == comparing)
            {
                // The server has ended as recorded; what the recorded client did then is of no matter to it.
                return null;
            }

            return difference;
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    public void Dispose() => _moved.Dispose();

    private async Task<string?> SendAsync(Task comparing, CancellationToken over)
    {
        long expected = 0;
        TimeSpan last = TimeSpan.Zero;
        bool isBehindAnswer = false;
        foreach (RecordedEvent recorded in RecordedEvent.Read(path))
        {
            TimeSpan pause = recorded.At > last ? recorded.At - last : TimeSpan.Zero;
            last = recorded.At;
            if (!recorded.IsSent)
            {
                expected += recorded.Bytes.Length;
                isBehindAnswer = true;
                long all = expected;
                bool HasCome() => Volatile.Read(ref _received) >= all && (!recorded.IsEnd || _hasEnded);
                if (!await HasComeAsync(HasCome, pause + patience, over))
                {
                    return Late(recorded, expected);
                }

                continue;
            }

            if (!isBehindAnswer)
            {
                await Task.Delay(pause, over);
            }

            isBehindAnswer = false;
            if (await SendAsync(recorded, over) is { } failure)
            {
                // If what came before was different, that is the reason.
                await Task.WhenAny(comparing, Task.Delay(patience, over));
                return comparing.IsCompleted ? null : failure;
            }
        }

        return null;
    }

    private async Task<string?> SendAsync(RecordedEvent recorded, CancellationToken over)
    {
        try
        {
            if (recorded.IsEnd)
            {
                Transfers.SendingEnds();
                socket.Shutdown(SocketShutdown.Send);
                return null;
            }

            Transfers.Sending(recorded.Bytes);
            for (ReadOnlyMemory<byte> rest = recorded.Bytes; !rest.IsEmpty;)
            {
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, over)..];
            }

            return null;
        }
        catch (SocketException failure)
        {
            return $"replay {_file}:{recorded.Line}: {NetworkException.From("send", target, failure).Message}";
        }
    }

    /// <summary>False if nothing has come for so long.</summary>
    private async Task<bool> HasComeAsync(Func<bool> hasCome, TimeSpan atMost, CancellationToken over)
    {
        while (!hasCome())
        {
            if (!await _moved.WaitAsync(atMost, over))
            {
                return hasCome();
            }
        }

        return true;
    }

    private string Late(RecordedEvent recorded, long expected)
    {
        string what = recorded.IsEnd && Volatile.Read(ref _received) >= expected
            ? "the server has not ended, as it had when it was recorded"
            : $"{expected - Volatile.Read(ref _received)} bytes of the recorded answer have not come";
        return $"replay {_file}:{recorded.Line}: {target}: {what}; allow more with --timeout";
    }

    /// <summary>Reads what comes, beside what is sent: a server that can't get rid of its answers may take no more.</summary>
    /// <returns>What is different; null at an end that was recorded.</returns>
    private async Task<string?> CompareAsync(CancellationToken over)
    {
        using IEnumerator<RecordedEvent> answers = RecordedEvent.Read(path).Where(static recorded => !recorded.IsSent).GetEnumerator();
        byte[] buffer = new byte[BufferBytes];
        ReadOnlyMemory<byte> expected = default;
        RecordedEvent? at = null;
        while (true)
        {
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer, SocketFlags.None, over);
            }
            catch (SocketException failure)
            {
                return $"replay {_file}: {NetworkException.From("receive", target, failure).Message}";
            }

            Transfers.Received(buffer.AsSpan(0, count));
            ReadOnlyMemory<byte> came = buffer.AsMemory(0, count);
            if (came.IsEmpty)
            {
                bool isRecorded = expected.IsEmpty && (!answers.MoveNext() || answers.Current.IsEnd);
                _hasEnded = true;
                _moved.Release();
                return isRecorded ? null
                    : $"replay {_file}:{(answers.Current ?? at)?.Line}: {target} has ended after {_received} bytes, and more was recorded";
            }

            while (!came.IsEmpty)
            {
                if (expected.IsEmpty)
                {
                    if (!answers.MoveNext() || answers.Current.IsEnd)
                    {
                        return $"replay {_file}: {target} has said more than was recorded: {Shown(came)}, {Behind()}";
                    }

                    at = answers.Current;
                    expected = at.Bytes;
                }

                int same = expected.Span.CommonPrefixLength(came.Span);
                _received += same;
                (expected, came) = (expected[same..], came[same..]);
                if (!expected.IsEmpty && !came.IsEmpty)
                {
                    return $"replay {_file}:{at!.Line}: {target} has answered {Shown(came)} where {Shown(expected)} was recorded, "
                        + Behind();
                }
            }

            _moved.Release();
        }
    }

    private string Behind() => _received == 1 ? "behind 1 byte that is the same" : $"behind {_received} bytes that are the same";

    private static string Shown(ReadOnlyMemory<byte> bytes) =>
        $"\"{PrintableText.Escape(bytes.Span[..Math.Min(ShownBytes, bytes.Length)])}\"";
}
