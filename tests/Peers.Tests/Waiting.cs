using System.Diagnostics;

namespace Doorbell.Tests;

/// <summary>Waits for what must come, not for ever.</summary>
internal static class Waiting
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    public static void Until(Func<bool> holds, string otherwise)
    {
        long began = Stopwatch.GetTimestamp();
        while (!holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, otherwise);
            Thread.Yield();
        }
    }
}
