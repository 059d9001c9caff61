using Doorbell.Options;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>The path of a unix socket whose server is dead.</summary>
public sealed class UnixPathTests
{
    /// <summary>Each might find the file stale, remove what another has just bound, and bind there too.</summary>
    [Theory]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public async Task Of_those_who_bind_it_at_once_one_has_it(string scheme)
    {
        const int Rounds = 200;
        const int AtOnce = 4;
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Endpoint endpoint = Endpoint.Parse($"{scheme}://{path}");
        using Barrier start = new(AtOnce);
        for (int round = 0; round < Rounds; round++)
        {
            // Closed without its file, as the system closes a killed server's.
            UnixBinding.Bind(endpoint, ListenOptions.Default).Release();
            DoorSocket?[] all = await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Factory.StartNew(
                () => TryBind(endpoint, start), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            int have = all.Count(static bound => bound is not null);
            Array.ForEach(all, static bound => bound?.Close());
            Assert.True(have == 1, $"in round {round} {have} of {AtOnce} had the path");
            Assert.False(File.Exists(path));
        }
    }

    private static DoorSocket? TryBind(Endpoint endpoint, Barrier start)
    {
        start.SignalAndWait(TestContext.Current.CancellationToken);
        try
        {
            return UnixBinding.Bind(endpoint, ListenOptions.Default);
        }
        catch (NetworkException)
        {
            return null;
        }
    }
}
