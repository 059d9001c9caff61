using Microsoft.Extensions.Logging;

namespace Doorbell.Cli.Ends;

/// <summary>Where a relay goes on to, for each who comes: the first of these that can be opened. Any thread may call it.</summary>
/// <param name="targets">At least one.</param>
/// <param name="opening">How they are opened.</param>
/// <param name="wait">As <see cref="EndJoin.Wait"/>.</param>
/// <param name="log">Told what goes wrong.</param>
internal sealed partial class RelayedEnds(IReadOnlyList<EndTarget> targets, EndOpening opening, TimeSpan wait, ILogger log)
{
    private int _came;
    private int _opened;
    private int _failed;
    private long _lost;

    /// <summary>How many have come.</summary>
    public int Came => _came;

    /// <summary>How many targets were opened.</summary>
    public int Opened => _opened;

    /// <summary>How many could not be.</summary>
    public int Failed => _failed;

    /// <summary>How many datagrams were lost here, as their peer sent faster than they can go on, or was one too many.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>A datagram is lost.</summary>
    public void DatagramLost()
    {
        if (Interlocked.Increment(ref _lost) == 1)
        {
            FirstLost(log);
        }
    }

    /// <summary>How an end is opened.</summary>
    public EndOpening Opening => opening;

    /// <summary>Opens the first target that can be opened.</summary>
    /// <exception cref="NetworkException">None can: why the last one can't.</exception>
    public async Task<OpenEnd> OpenAsync(CancellationToken cancellation)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                OpenEnd opened = await targets[i].OpenAsync(opening, cancellation);
                Interlocked.Increment(ref _opened);
                return opened;
            }
            catch (NetworkException failure)
            {
                Interlocked.Increment(ref _failed);
                if (i == targets.Count - 1)
                {
                    throw;
                }

                NotOpened(log, failure.Message);
            }
        }
    }

    /// <summary>Joins two ends, and closes the second.</summary>
    /// <param name="from">Owned by the caller.</param>
    /// <param name="to">Closed at the end.</param>
    /// <param name="idle">It ends if no byte moves for so long; null for never.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>What went wrong; null if nothing did.</returns>
    public async Task<string?> JoinAsync(OpenEnd from, OpenEnd to, TimeSpan? idle, CancellationToken stop)
    {
        await using (to)
        {
            return await new EndJoin(from, to) { Wait = wait, IdleTimeout = idle }.RunAsync(stop);
        }
    }

    /// <summary>Relays what has come to a server, and says what goes wrong.</summary>
    /// <param name="from">Who has come; closed at the end.</param>
    /// <param name="idle">It ends if no byte moves for so long; null for never.</param>
    /// <param name="gone">Who has come is gone.</param>
    public async Task RelayAsync(OpenEnd from, TimeSpan? idle, CancellationToken gone)
    {
        Interlocked.Increment(ref _came);
        await using (from)
        {
            try
            {
                await using OpenEnd to = await OpenAsync(gone);
                EndJoin join = new(from, to) { Wait = wait, IdleTimeout = idle, IsCutWhenStopped = true };
                if (await join.RunAsync(gone) is { } failure)
                {
                    Ended(log, join.WasIdle ? LogLevel.Information : LogLevel.Warning, from.Name, failure);
                }
            }
            catch (OperationCanceledException)
            {
                // It is gone before the other end was there.
            }
            catch (Exception failure) when (failure is NetworkException or IOException)
            {
                NotOpened(log, failure.Message);
                from.Abort();
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Failure}")]
    private static partial void NotOpened(ILogger log, string failure);

    [LoggerMessage(3, LogLevel.Warning, "datagrams are lost: a peer sends faster than they can go on, or is one more than 1,024; "
        + "the summary counts them")]
    private static partial void FirstLost(ILogger log);

    [LoggerMessage(EventId = 2, Message = "from {Peer}: {Failure}")]
    private static partial void Ended(ILogger log, LogLevel level, string peer, string failure);
}
