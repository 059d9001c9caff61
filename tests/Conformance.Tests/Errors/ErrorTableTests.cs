using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>The names, texts and advice of errors that a test can't bring about.</summary>
public sealed class ErrorTableTests
{
    // Of these .NET has no errno of its own to compare with, or gives another's text.
    private static readonly SocketError[] _elsewhere =
    [
        SocketError.HostNotFound, SocketError.TryAgain, SocketError.NoData, SocketError.NoRecovery, SocketError.TooManyOpenSockets,
    ];

    [Fact]
    public void Texts_are_those_of_strerror()
    {
        (SocketError Error, Errno Errno)[] known = [.. Enum.GetValues<SocketError>()
            .Where(static error => Errno.Of(error) is not null)
            .Select(static error => (error, Errno.Of(error)!.Value))];
        Assert.InRange(known.Length, 36, 50);
        Assert.All(known.ExceptBy(_elsewhere, static row => row.Error), static row =>
            Assert.Equal(new SocketException((int)row.Error).Message, row.Errno.Text));
    }

    /// <summary>Those of the manual pages of socket, bind, listen, accept, connect, send, recv, epoll_ctl, eventfd and fork.</summary>
    [Theory]
    [InlineData(1, "EPERM"), InlineData(2, "ENOENT"), InlineData(4, "EINTR"), InlineData(9, "EBADF"), InlineData(11, "EAGAIN")]
    [InlineData(12, "ENOMEM"), InlineData(13, "EACCES"), InlineData(14, "EFAULT"), InlineData(17, "EEXIST"), InlineData(19, "ENODEV")]
    [InlineData(20, "ENOTDIR"), InlineData(22, "EINVAL"), InlineData(23, "ENFILE"), InlineData(24, "EMFILE"), InlineData(28, "ENOSPC")]
    [InlineData(30, "EROFS"), InlineData(32, "EPIPE"), InlineData(36, "ENAMETOOLONG"), InlineData(38, "ENOSYS"), InlineData(40, "ELOOP")]
    [InlineData(64, "ENONET"), InlineData(71, "EPROTO"), InlineData(75, "EOVERFLOW"), InlineData(88, "ENOTSOCK")]
    [InlineData(89, "EDESTADDRREQ"), InlineData(90, "EMSGSIZE"), InlineData(91, "EPROTOTYPE"), InlineData(92, "ENOPROTOOPT")]
    [InlineData(93, "EPROTONOSUPPORT"), InlineData(94, "ESOCKTNOSUPPORT"), InlineData(95, "EOPNOTSUPP"), InlineData(96, "EPFNOSUPPORT")]
    [InlineData(97, "EAFNOSUPPORT"), InlineData(98, "EADDRINUSE"), InlineData(99, "EADDRNOTAVAIL"), InlineData(100, "ENETDOWN")]
    [InlineData(101, "ENETUNREACH"), InlineData(103, "ECONNABORTED"), InlineData(104, "ECONNRESET"), InlineData(105, "ENOBUFS")]
    [InlineData(106, "EISCONN"), InlineData(107, "ENOTCONN"), InlineData(108, "ESHUTDOWN"), InlineData(110, "ETIMEDOUT")]
    [InlineData(111, "ECONNREFUSED"), InlineData(112, "EHOSTDOWN"), InlineData(113, "EHOSTUNREACH"), InlineData(114, "EALREADY")]
    [InlineData(115, "EINPROGRESS")]
    public void What_a_call_of_linux_may_answer_has_its_name_whoever_words_it(int number, string name)
    {
        Assert.Equal(name, Errno.OfLinux(number).Name);
        Assert.Equal(name, NetworkException.FromErrno("connect", "tcp://192.0.2.1:1", number).ErrnoName);
    }

    [Theory]
    [InlineData("bind", "tcp://127.0.0.1:80", SocketError.AccessDenied, "net.ipv4.ip_unprivileged_port_start")]
    [InlineData("bind", "unix:///run/door", SocketError.AccessDenied, "permissions")]
    [InlineData("connect", "unix:///run/door", SocketError.AccessDenied, "permissions")]
    [InlineData("connect", "unix:@door", SocketError.ConnectionRefused, "abstract name")]
    [InlineData("send", "unix+dgram:@door", SocketError.ConnectionRefused, "abstract name")]
    [InlineData("bind", "unix:@door", SocketError.AddressAlreadyInUse, "abstract name")]
    [InlineData("connect", "tcp://192.0.2.1:1", SocketError.TimedOut, "firewall")]
    [InlineData("connect", "tcp://192.0.2.1:1", SocketError.HostUnreachable, "ip route")]
    [InlineData("send", "udp://192.0.2.1:1", SocketError.NetworkUnreachable, "ip route")]
    [InlineData("accept", "tcp://127.0.0.1:1", SocketError.TooManyOpenSockets, "EMFILE (Too many open files); out of file descriptors")]
    [InlineData("socket", "tcp://[::1]:1", SocketError.AddressFamilyNotSupported, "EAFNOSUPPORT")]
    [InlineData("receive", "tcp://127.0.0.1:1", SocketError.ConnectionReset, "ECONNRESET (Connection reset by peer); the peer ended")]
    [InlineData("send", "udp://127.0.0.1:1", SocketError.NoBufferSpaceAvailable, "ENOBUFS (No buffer space available); ")]
    [InlineData("resolve", "tcp://host:1", SocketError.TryAgain, "EAI_AGAIN (Temporary failure in name resolution); the name server")]
    [InlineData("resolve", "tcp://host:1", SocketError.HostNotFound, "EAI_NONAME (Name or service not known); look at the name")]
    [InlineData("accept", "tcp://127.0.0.1:1", SocketError.NotSocket, "ENOTSOCK (Socket operation on non-socket)")]
    public void Errors_are_worded_by_call_and_kind_of_endpoint(string operation, string target, SocketError error, string part)
    {
        NetworkException failure = NetworkException.From(operation, target, error);
        Assert.StartsWith($"{operation} {target}: E", failure.Message, StringComparison.Ordinal);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.True(PrintableText.IsPrintable(failure.Message));
    }

    [Fact]
    public void A_wrapped_failure_is_found_at_any_depth()
    {
        SocketException reset = new((int)SocketError.ConnectionReset);
        NetworkException failure = NetworkException.From("receive", "tcp://h:1", new IOException("outer", new IOException("inner", reset)));
        Assert.Equal("ECONNRESET", failure.ErrnoName);
    }

    [Fact]
    public void A_timeout_is_etimedout()
    {
        NetworkException failure = NetworkException.From("connect", "tcp://h:1", new TimeoutException());
        Assert.Equal((SocketError.TimedOut, "ETIMEDOUT"), (failure.Error, failure.ErrnoName));
    }

    [Fact]
    public void Any_other_failure_is_told_in_its_own_words_on_one_line()
    {
        NetworkException failure = NetworkException.From("send", "tcp://h:1", new InvalidOperationException("one\ntwo"));
        Assert.Equal(@"send tcp://h:1: one\ntwo", failure.Message);
        Assert.Null(failure.ErrnoName);
    }

    [Fact]
    public void An_error_that_no_table_has_is_told_by_its_number() => Assert.Equal(
        "accept tcp://h:1: error 10093 (Unknown error 10093)",
        NetworkException.From("accept", "tcp://h:1", SocketError.NotInitialized).Message);

    [Theory]
    [InlineData(SocketError.ConnectionRefused, "WSAECONNREFUSED (Connection refused)")]
    [InlineData(SocketError.AddressAlreadyInUse, "WSAEADDRINUSE (Address already in use)")]
    [InlineData(SocketError.WouldBlock, "WSAEWOULDBLOCK (Resource temporarily unavailable)")]
    [InlineData(SocketError.Shutdown, "WSAESHUTDOWN (Broken pipe)")]
    [InlineData(SocketError.OperationAborted, "WSA_OPERATION_ABORTED (Operation canceled)")]
    [InlineData(SocketError.HostNotFound, "WSAHOST_NOT_FOUND (Name or service not known)")]
    [InlineData(SocketError.TryAgain, "WSATRY_AGAIN (Temporary failure in name resolution)")]
    public void A_message_on_Windows_has_the_name_that_Windows_gives(SocketError error, string worded) =>
        Assert.Equal(worded, Errno.Of(error)!.Value.Worded(onWindows: true));

    [Fact]
    public void No_advice_on_Windows_or_macOS_names_what_only_Linux_has()
    {
        string[] advice = AdviceOf(SystemTools.Windows);
        Assert.Contains(advice, static line => line.Contains("netstat -ano", StringComparison.Ordinal));
        Assert.DoesNotContain(advice, static line => LinuxAlone().Append("ulimit").Append("root").Append("lsof")
            .Any(tool => line.Contains(tool, StringComparison.Ordinal)));
        Assert.DoesNotContain(AdviceOf(SystemTools.MacOS), static line => LinuxAlone()
            .Any(tool => line.Contains(tool, StringComparison.Ordinal)));
        Assert.Contains(AdviceOf(SystemTools.Linux), static line => line.Contains("ss -lntup", StringComparison.Ordinal));
    }

    private static string[] LinuxAlone() =>
        ["ss -", "ip address", "ip link", "ip route", "sysctl", "CAP_", "net.core", "net.ipv4", "/etc/", "/proc"];

    /// <summary>Every advice that a failed call can have.</summary>
    private static string[] AdviceOf(SystemTools tools) =>
    [
        .. from operation in new[] { "socket", "bind", "listen", "accept", "connect", "send", "receive", "resolve", "join", "setsockopt" }
           from target in new[] { "tcp://127.0.0.1:1", "udp://[fe80::1]:1", "unix:///run/door", "unix+dgram:///run/door" }
           from error in Enum.GetValues<SocketError>()
           let advice = Advice.For(operation, error, target, tools)
           where advice is not null
           select advice,
    ];
}
