using System.Buffers.Text;
using Doorbell.Serving;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// Which process groups have a process that lives, from proc(5). kill(2) does not tell: to it a process that has ended and was not reaped
/// is a member too, and where process 1 reaps no orphans it stays one for ever. One thread's own.
/// </summary>
internal sealed class ProcessGroups
{
    /// <summary>Reading takes at most this part of the thread's time, however many processes the machine has.</summary>
    private const int ShareOfTime = 10;

    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(50);

    private readonly HashSet<int> _living = [];
    private readonly HashSet<int> _seen = [];
    private TimeSpan _readAt = TimeSpan.MinValue;
    private TimeSpan _nextReading;

    /// <summary>Whether a group that kill(2) finds has members, and all of them have ended.</summary>
    /// <param name="group">Its number.</param>
    /// <param name="since">
    /// When its leader ended. A later reading that shows no member alive holds for ever, since only a member starts further ones.
    /// </param>
    /// <returns>False also if nobody can tell: /proc is not mounted, is another namespace's, or hides the group.</returns>
    public bool HasOnlyEnded(int group, TimeSpan since)
    {
        TimeSpan began = MonotonicClock.Now;
        if (began >= _nextReading)
        {
            _living.Clear();
            _seen.Clear();

            // Twice: a process may start another and end while its neighbours are read.
            _readAt = TryRead() && TryRead() ? began : TimeSpan.MinValue;
            TimeSpan now = MonotonicClock.Now;
            TimeSpan pause = (now - began) * ShareOfTime;
            _nextReading = now + (pause > _shortestPause ? pause : _shortestPause);
        }

        return _readAt > since && _seen.Contains(group) && !_living.Contains(group);
    }

    private bool TryRead()
    {
        try
        {
            if (new FileInfo("/proc/self").LinkTarget != $"{Environment.ProcessId}")
            {
                return false;
            }

            foreach (string folder in Directory.EnumerateDirectories("/proc"))
            {
                if (char.IsAsciiDigit(folder[^1]))
                {
                    ReadOne($"{folder}/stat");
                }
            }

            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void ReadOne(string file)
    {
        Span<byte> stat = stackalloc byte[512];
        try
        {
            using SafeFileHandle handle = File.OpenHandle(file);
            stat = stat[..RandomAccess.Read(handle, stat, 0)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return;
        }

        // "4711 (name) S 1 4711 …", where the name may hold anything, brackets too.
        int state = stat.LastIndexOf((byte)')') + 2;
        if (state < 2 || state + 2 >= stat.Length)
        {
            return;
        }

        ReadOnlySpan<byte> parent = stat[(state + 2)..];
        if (Utf8Parser.TryParse(parent[(parent.IndexOf((byte)' ') + 1)..], out int group, out _))
        {
            _seen.Add(group);
            if (stat[state] is not ((byte)'Z' or (byte)'X'))
            {
                _living.Add(group);
            }
        }
    }
}
