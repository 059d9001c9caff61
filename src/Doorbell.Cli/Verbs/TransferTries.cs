using Doorbell.Cli.Printing;
using Doorbell.Files;

namespace Doorbell.Cli.Verbs;

/// <summary>A transfer again and again, until it is whole: each goes on where the one before was cut.</summary>
internal static class TransferTries
{
    private const int FirstWaitMilliseconds = 100;
    private const int MaxWaitMilliseconds = 10_000;

    /// <summary>Tries.</summary>
    /// <param name="tries">At most so often.</param>
    /// <param name="what">Is tried, for an error.</param>
    /// <param name="progress">Makes room for what is said.</param>
    /// <param name="transfer">Connects and transfers.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(int tries, string what, TransferProgress progress, Func<Task> transfer)
    {
        int wait = FirstWaitMilliseconds;
        for (int left = tries - 1; ; left--)
        {
            try
            {
                await transfer();
                return 0;
            }
            catch (Exception failure) when (failure is NetworkException or TransferException { IsCut: true } && left > 0)
            {
                progress.End();
                await Task.Delay(wait);
                wait = Math.Min(2 * wait, MaxWaitMilliseconds);
            }
            catch (TransferException failure)
            {
                progress.End();
                return Failure.Network(
                    $"{what}: {failure.Message}{(failure.IsCut ? "; the same command goes on where it was" : "")}");
            }
        }
    }
}
