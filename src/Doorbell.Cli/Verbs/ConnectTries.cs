using System.Diagnostics;
using System.Net.Sockets;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>Connects again and again: for a server that has not started yet.</summary>
internal static class ConnectTries
{
    private const int FirstWaitMilliseconds = 100;
    private const int MaxWaitMilliseconds = 10_000;

    /// <summary>
    /// Connects, and after a failure once more, each time after a wait twice as long, from 100 ms to 10 s.
    /// </summary>
    /// <param name="tries">At most so often.</param>
    /// <param name="timeout">Bounds all tries together, with the waits between.</param>
    /// <param name="connect">Connects, within the time it is given.</param>
    /// <exception cref="NetworkException">The last try's.</exception>
    public static async Task<T> RunAsync<T>(int tries, TimeSpan timeout, Func<TimeSpan, Task<T>> connect)
    {
        long began = Stopwatch.GetTimestamp();
        int wait = FirstWaitMilliseconds;
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                TimeSpan left = timeout - Stopwatch.GetElapsedTime(began);
                T connected = await connect(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
                if (attempt > 1)
                {
                    Failure.Say($"connected on try {attempt} of at most {tries}");
                }

                return connected;
            }
            catch (NetworkException failure) when (failure.Operation is "connect" or "resolve" && attempt < tries
                && failure.Error != SocketError.TimedOut && timeout - Stopwatch.GetElapsedTime(began) > TimeSpan.FromMilliseconds(wait))
            {
                await Task.Delay(wait);
                wait = Math.Min(2 * wait, MaxWaitMilliseconds);
            }
        }
    }
}
