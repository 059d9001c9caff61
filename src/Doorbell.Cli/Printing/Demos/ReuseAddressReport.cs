using Doorbell.Lab.Demos;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>Runs <c>demo reuse-address</c> and prints what binding a busy port comes to.</summary>
internal static class ReuseAddressReport
{
    public static void Run(TextWriter output)
    {
        Restart(output, "SO_REUSEADDR=0");
        Restart(output, "SO_REUSEADDR=1");
        Share(output, "SO_REUSEADDR=1");
        Share(output, "SO_REUSEPORT=1");
        output.WriteLine();
        output.WriteLine(
            "socket(7): with SO_REUSEADDR \"a socket may bind, except when there is an active listening socket bound to the address\": it "
                + "passes over TIME_WAIT, which lasts 60 s on Linux, and never lets two servers share. "
                + "The old server must have had it too.");
        output.WriteLine(
            "SO_REUSEPORT \"permits multiple AF_INET or AF_INET6 sockets to be bound to an identical socket address\", and the kernel "
                + "spreads the connections among them: for shards of one server, of one user, and not for restarts.");
        output.WriteLine(
            "A TCP listener of Doorbell's has SO_REUSEADDR alone, whatever the server model, so a second server on the same port fails "
                + "and says so; --reuse-port sets SO_REUSEPORT too. A model with several lanes sets it on its UDP sockets by itself.");
    }

    private static void Restart(TextWriter output, string option)
    {
        RestartResult result = ReuseAddressDemo.Restart(option);
        if (!result.KeepsTimeWait)
        {
            output.WriteLine(
                "the kernel keeps no TIME_WAIT now, as net.ipv4.tcp_max_tw_buckets are in use: a half-closed connection stands in for it");
        }

        output.WriteLine(
            $"restart with {option}: the old connection on port {result.Port} is in {result.State}; bind and listen: "
                + Outcome(result.Refused));
    }

    private static void Share(TextWriter output, string option)
    {
        SharingResult result = ReuseAddressDemo.Share(option);
        string spread = result.Refused is null
            ? $"; of {ReuseAddressDemo.Connections} connections one got {result.First}, the other {result.Second}"
            : "";
        output.WriteLine($"second server at the same time with {option}: {Outcome(result.Refused)}{spread}");
    }

    private static string Outcome(NetworkException? refused) => refused is null ? "done" : $"{refused.ErrnoName} ({refused.ErrnoText})";
}
