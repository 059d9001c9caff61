using System.Text;
using Doorbell.Cli.Input;

namespace Doorbell.Cli.Printing;

/// <summary>
/// Writes lines on a thread of its own, so that whoever prints one never waits for whoever reads it. A pipe that nobody reads is full after
/// 64 KiB (pipe(7)), and a write to it then waits for ever. Once <see cref="MaxBytes"/> wait here, further lines are dropped and counted.
/// </summary>
/// <param name="open">Opens the stream, on the writing thread.</param>
/// <param name="notice">The line that tells, between the others, how many were dropped there; null to tell it nowhere.</param>
/// <param name="failed">Told when a write fails for the first time, or for the first time since one succeeded.</param>
internal sealed class LineWriter(Func<Stream> open, Func<long, string>? notice, Action<Exception>? failed)
{
    /// <summary>What may wait for a reader.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>At the end, a reader that has taken nothing for so long is taken for none.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    /// <summary>What waits, the line being written included. It is the lock, too.</summary>
    private readonly Queue<Line> _lines = new();
    private Stream? _stream;
    private bool _hasThread;
    private bool _hasFailed;
    private int _bytes;
    private long _done;
    private long _dropped;
    private long _told;

    /// <summary>Lines to standard error.</summary>
    public static LineWriter Error { get; } = new(
        StandardStream.Error,
        static dropped => $"doorbell: {Lines(dropped)} dropped here, since nobody read them",
        failed: null);

    /// <summary>Lines to standard output, of a command that goes on without it.</summary>
    public static LineWriter Output { get; } = new(
        StandardOutput.Open,
        notice: null,
        static failure => Error.Post(
            $"doorbell: {StandardOutput.Wording("write standard output", failure)}; the command goes on without it"));

    /// <summary>As in <c>1 line was</c>.</summary>
    public static string Lines(long count) => count == 1 ? "1 line was" : $"{count} lines were";

    /// <summary>
    /// Takes a descriptor and a thread now, while there are some: what is said later may be that there are none. What can't be had is tried
    /// again when there is a line.
    /// </summary>
    public void Open()
    {
        try
        {
            // Off Linux the console's stream opens more of the console with the first write.
            (_stream ??= open()).Write([]);
        }
        catch (Exception failure) when (IsOfTheStream(failure))
        {
            // The first line that is written says what there is to say.
        }

        lock (_lines)
        {
            _ = TryStart();
        }
    }

    /// <summary>Has a line written. Returns at once.</summary>
    public void Post(string line)
    {
        lock (_lines)
        {
            if (!TryStart() || !TryTellDropped() || !TryAdd(new Line(line, Tells: 0)))
            {
                _dropped++;
            }
        }
    }

    /// <summary>
    /// Waits until all is written, or until nothing could be for a second: then what waits is given up, since the command ends.
    /// </summary>
    /// <returns>How many lines were not written, and that is not told.</returns>
    public long Finish()
    {
        lock (_lines)
        {
            for (long before = -1; _lines.Count > 0 && before != _done;)
            {
                before = _done;
                Monitor.Wait(_lines, _patience);
            }

            return _dropped - _told + _lines.Sum(static line => line.Tells > 0 ? line.Tells : 1);
        }
    }

    /// <summary>False if the system gives no thread.</summary>
    private bool TryStart()
    {
        try
        {
            if (!_hasThread)
            {
                new Thread(Run) { IsBackground = true, Name = "lines" }.Start();
                _hasThread = true;
            }
        }
        catch (Exception shortage) when (shortage is OutOfMemoryException or ThreadStartException)
        {
            // Tried again with the next line.
        }

        return _hasThread;
    }

    /// <summary>How many lines were dropped is told before the next is taken. False if there is no room for that.</summary>
    private bool TryTellDropped()
    {
        long untold = _dropped - _told;
        if (notice is null || untold == 0)
        {
            return true;
        }

        if (!TryAdd(new Line(notice(untold), untold)))
        {
            return false;
        }

        _told = _dropped;
        return true;
    }

    private bool TryAdd(Line line)
    {
        // The line itself may have any length: what is printed of a message has several times its bytes.
        if (_bytes >= MaxBytes)
        {
            return false;
        }

        _bytes += line.Bytes.Length;
        _lines.Enqueue(line);
        Monitor.PulseAll(_lines);
        return true;
    }

    private void Run()
    {
        while (true)
        {
            Line next = Next();
            try
            {
                (_stream ??= open()).Write(next.Bytes);
                Done(next, written: true);
            }
            catch (Exception failure) when (IsOfTheStream(failure))
            {
                if (!_hasFailed)
                {
                    failed?.Invoke(failure);
                }

                Done(next, written: false);
            }
        }
    }

    private static bool IsOfTheStream(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>The next line, which stays in the queue until it is written.</summary>
    private Line Next()
    {
        lock (_lines)
        {
            while (_lines.Count == 0)
            {
                // Where a write fails, the next may fail too: then the count waits for the next line.
                _ = _hasFailed || TryTellDropped();
                if (_lines.Count == 0)
                {
                    Monitor.Wait(_lines);
                }
            }

            return _lines.Peek();
        }
    }

    private void Done(Line line, bool written)
    {
        lock (_lines)
        {
            _ = _lines.Dequeue();
            _bytes -= line.Bytes.Length;
            _done++;
            _hasFailed = !written;
            if (!written && line.Tells > 0)
            {
                _told -= line.Tells;
            }
            else if (!written)
            {
                _dropped++;
            }

            Monitor.PulseAll(_lines);
        }
    }

    /// <param name="Bytes">The line with its end.</param>
    /// <param name="Tells">How many dropped lines it tells of; 0 for a line that was posted.</param>
    private sealed record Line(byte[] Bytes, long Tells)
    {
        public Line(string text, long Tells)
            : this(Encoding.UTF8.GetBytes(text + Environment.NewLine), Tells)
        {
        }
    }
}
