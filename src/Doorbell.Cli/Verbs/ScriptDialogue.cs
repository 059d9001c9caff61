using System.Net.Sockets;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>Carries out a script over a connection, and prints what comes.</summary>
/// <param name="script">What is sent and expected.</param>
/// <param name="socket">Connected; the caller's.</param>
/// <param name="target">The connection, to name in errors.</param>
/// <param name="output">Where what comes is printed.</param>
/// <param name="timeout">How long a wait takes at most, until the script says something else.</param>
internal sealed class ScriptDialogue(Script script, Socket socket, string target, StandardOutput output, TimeSpan timeout)
{
    /// <summary>What is searched is the last so many bytes: a peer may send any number before what is waited for.</summary>
    private const int MaxSearchedBytes = 64 * 1024;

    /// <summary>A script that goes round for ever without waiting ends here.</summary>
    private const int MaxStatements = 1_000_000;
    private const int ShownBytes = 200;

    private readonly byte[] _buffer = new byte[MaxSearchedBytes / 4];
    private TimeSpan _timeout = timeout;
    private byte[] _came = [];
    private bool _hasEnded;

    /// <summary>They may say who is told what is sent and what has come.</summary>
    public ClientOptions Sockets { get; init; } = ClientOptions.Default;

    /// <summary>Runs it to its end.</summary>
    /// <returns>Why it has failed; null if it has not.</returns>
    public async Task<string?> RunAsync()
    {
        int next = 0;
        for (int count = 0; next < script.Statements.Count; count++)
        {
            ScriptStatement statement = script.Statements[next++];
            if (count == MaxStatements)
            {
                return Said(statement, $"{MaxStatements} statements have been carried out, and a script has no more");
            }

            if (statement is ScriptStatement.Await waits)
            {
                (ScriptStatement? then, string? failure) = await WaitAsync(waits);
                if (failure is not null)
                {
                    return failure;
                }

                statement = then ?? statement;
            }

            switch (statement)
            {
                case ScriptStatement.GoTo jump:
                    next = script.Labels[jump.Label];
                    break;
                case ScriptStatement.Timeout bound:
                    _timeout = bound.Time;
                    break;
                case ScriptStatement.Fail fails:
                    return Said(fails, fails.Text);
                case ScriptStatement.Close:
                    return null;
                case ScriptStatement.Send or ScriptStatement.HalfClose when await SendAsync(statement) is { } failure:
                    return failure;
            }
        }

        return null;
    }

    private string Said(ScriptStatement statement, string what) => $"{script.File}:{statement.Line}: {what}";

    private async Task<string?> SendAsync(ScriptStatement statement)
    {
        using CancellationTokenSource patience = new(_timeout);
        try
        {
            if (statement is ScriptStatement.HalfClose)
            {
                socket.Shutdown(SocketShutdown.Send);
                return null;
            }

            byte[] text = ((ScriptStatement.Send)statement).Text;
            Sockets.Sending?.Invoke(text);
            for (ReadOnlyMemory<byte> rest = text; !rest.IsEmpty;)
            {
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, patience.Token)..];
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            return Said(statement, $"send {target}: the server has not taken it within {_timeout.TotalSeconds:0.###} s");
        }
        catch (SocketException failure)
        {
            return Said(statement, NetworkException.From("send", target, failure).Message);
        }
    }

    /// <summary>Waits until a branch can be taken: its statement, or null for the next one; or why none can be.</summary>
    private async Task<(ScriptStatement? Then, string? Failure)> WaitAsync(ScriptStatement.Await waits)
    {
        using CancellationTokenSource patience = new(_timeout);
        while (true)
        {
            foreach (ScriptStatement.Branch branch in waits.Branches)
            {
                if (branch.Pattern is { } pattern && pattern.IsIn(_came, out int end))
                {
                    _came = _came[end..];
                    return (branch.Then, null);
                }
            }

            ScriptEvent happened;
            try
            {
                if (!_hasEnded && await ReceiveAsync(patience.Token))
                {
                    continue;
                }

                happened = ScriptEvent.PeerEnded;
            }
            catch (OperationCanceledException)
            {
                happened = ScriptEvent.TimedOut;
            }
            catch (SocketException failure)
            {
                return (null, Said(waits, NetworkException.From("receive", target, failure).Message));
            }

            return waits.Branches.Find(branch => branch.Event == happened) is { } taken
                ? (taken.Then, null)
                : (null, Said(waits, Missing(waits, happened)));
        }
    }

    /// <summary>Prints what comes and keeps the last of it; false at the peer's end.</summary>
    private async Task<bool> ReceiveAsync(CancellationToken patience)
    {
        int count = await socket.ReceiveAsync(_buffer, SocketFlags.None, patience);
        Sockets.Received?.Invoke(_buffer.AsMemory(0, count));
        output.Write(_buffer.AsSpan(0, count));
        byte[] all = [.. _came, .. _buffer.AsSpan(0, count)];
        _came = all.Length > MaxSearchedBytes ? all[^MaxSearchedBytes..] : all;
        _hasEnded = count == 0;
        return !_hasEnded;
    }

    private string Missing(ScriptStatement.Await waits, ScriptEvent happened)
    {
        string expected = string.Join(" or ", waits.Branches.Select(static branch => branch.Pattern?.Shown).OfType<string>());
        string what = expected.Length == 0 ? "what is waited for" : expected;
        string last = _came.Length == 0
            ? "nothing has come since"
            : $"what has come since ends with \"{PrintableText.Escape(_came.AsSpan(Math.Max(0, _came.Length - ShownBytes)))}\"";
        return happened == ScriptEvent.TimedOut
            ? $"{target}: {what} has not come within {_timeout.TotalSeconds:0.###} s; {last}"
            : $"{target}: the server has ended before {what} came; {last}";
    }
}
