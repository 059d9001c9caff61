using System.CommandLine;

namespace Doorbell.Cli;

/// <summary><c>doorbell demo NAME</c>: shows, on this machine alone, what the network does.</summary>
internal static class DemoCommand
{
    public static Command Make() => new("demo", "Show what the network does, on this machine alone")
    {
        BacklogDemo.Make(),
    };
}
