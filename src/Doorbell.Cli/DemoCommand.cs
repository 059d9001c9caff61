using System.CommandLine;

namespace Doorbell.Cli;

/// <summary><c>doorbell demo NAME</c>: a few seconds on loopback that show what a manual page says, in numbers.</summary>
internal static class DemoCommand
{
    public static Command Make() => new("demo", "Show what the manual says, measured on this machine; loopback only")
    {
        BacklogDemo.Make(),
        LossDemo.Make(),
        Demo("nagle", "Nagle's algorithm and delayed acknowledgements: what TCP_NODELAY saves", NagleDemo.Run),
        Demo("reuse-address", "Restarting on a busy port: SO_REUSEADDR, TIME_WAIT and SO_REUSEPORT", ReuseAddressDemo.Run),
        Demo("receive-buffer", "A burst of datagrams against SO_RCVBUF, with the kernel's drops", ReceiveBufferDemo.Run),
    };

    private static Command Demo(string name, string description, Action<TextWriter> run)
    {
        Command command = new(name, description);
        command.SetAction(_ =>
        {
            if (!OperatingSystem.IsLinux())
            {
                return Failure.Network($"demo {name} shows what Linux does, and this is another system");
            }

            run(Console.Out);
            return 0;
        });
        return command;
    }
}
