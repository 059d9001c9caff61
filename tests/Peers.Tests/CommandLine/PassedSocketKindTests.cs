namespace Doorbell.Tests;

/// <summary>A socket that was passed is served, or refused at the start with what it is.</summary>
public sealed class PassedSocketKindTests
{
    /// <summary>Makes a socket, and becomes the server with it as descriptor 3.</summary>
    private const string Pass = """
        import os, socket, sys
        family, kind, protocol, how, file = *map(int, sys.argv[1:4]), *sys.argv[4:6]
        made = socket.socket(family, kind, protocol)
        if family == socket.AF_UNIX: made.bind('')
        if kind != socket.SOCK_RAW and kind != socket.SOCK_DGRAM and how != 'fresh': made.listen()
        if made.fileno() != 3: os.dup2(made.fileno(), 3)
        os.set_inheritable(3, True)
        if how == 'activation': os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='door')
        where = {'number': ['fd://3'], 'name': ['fd://door'], 'activation': [], 'fresh': ['fd://3']}[how]
        os.execv(file, [file, 'serve', 'echo', *where])
        """;

    public static TheoryData<int, int, int, string, string> Kinds => new()
    {
        { 1, 5, 0, "number", "SOCK_SEQPACKET socket of AF_UNIX" },
        { 1, 5, 0, "activation", "SOCK_SEQPACKET socket of AF_UNIX" },
        { 16, 3, 0, "number", "SOCK_RAW socket of AF_NETLINK" },
        { 16, 2, 0, "activation", "SOCK_DGRAM socket of AF_NETLINK" },
        { 1, 1, 0, "fresh", "does not listen" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_passed_socket_of_another_kind_is_refused_at_the_start_and_named(
        int family, int type, int protocol, string how, string says)
    {
        Ended ended = Program.Run("python3", ["-c", Pass, $"{family}", $"{type}", $"{protocol}", how, Doorbells.File("native")]);
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(says, line, StringComparison.Ordinal);
        Assert.Contains("fd://3", line, StringComparison.Ordinal);
    }
}
