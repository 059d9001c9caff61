using Doorbell.SocketOptions;

namespace Doorbell.Cli.Arguments;

/// <summary>What <c>--interface NAME</c> means: a group is joined and sent to there; any other socket is bound to it.</summary>
internal static class InterfaceWord
{
    /// <summary>A group's endpoint on the interface; any other as it is.</summary>
    /// <exception cref="ArgumentException">There is no such interface, or the endpoint names another one.</exception>
    public static Endpoint On(Endpoint endpoint, string name)
    {
        Require(name);
        try
        {
            return endpoint.IsGroup ? endpoint.On(name) : endpoint;
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"--interface: {wrong.Message}", wrong);
        }
    }

    /// <summary>What binds a socket to the interface.</summary>
    /// <exception cref="ArgumentException">It is no name.</exception>
    public static SocketOptionSetting Binding(string name)
    {
        Require(name);
        return SocketOptionSetting.Parse($"SO_BINDTODEVICE={name}");
    }

    private static void Require(string name)
    {
        if (name.Length == 0)
        {
            throw new ArgumentException("--interface takes an interface's name, as in eth0 (`ip link` lists them)");
        }
    }
}
