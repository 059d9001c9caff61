using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// The catalogue's ranges, tried on the kernel that runs: both ends are taken and read back, and one less and one more are not, so that
/// the table can't be wrong unseen.
/// </summary>
[Collection("socket options")]
public sealed class OptionRangeTests
{
    private const int NotPermitted = 1;
    private const int NoSuchDevice = 19;
    private const int InvalidArgument = 22;
    private const int AddressNotAvailable = 99;

    /// <summary>What the kernel takes and keeps, though it means nothing.</summary>
    private static readonly Dictionary<string, string> _meaningless = new()
    {
        ["SO_PEEK_OFF"] = "any negative number is off, as -1",
        ["SO_INCOMING_CPU"] = "any number that no processor has is none, as -1",
        ["SO_MAX_PACING_RATE"] = "the number has no sign, so that -2 is as good as no limit",
    };

    /// <summary>Sets of bits, of which a kernel takes those that it knows.</summary>
    private static readonly string[] _bits = ["SO_TIMESTAMPING", "IPV6_ADDR_PREFERENCES"];

    /// <summary>Numbers that stand for a choice, of which a kernel has some.</summary>
    private static readonly string[] _choices = ["UDP_ENCAP"];

    public static TheoryData<string> Numbers =>
    [
        .. SocketOptionCatalogue.All.Where(static option => option is { IsReadOnly: false, Kinds: not SocketKinds.None }
            && option.Kind is SocketOptionKind.Flag or SocketOptionKind.Number or SocketOptionKind.Bytes or SocketOptionKind.Seconds)
            .Select(static option => option.Name),
    ];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_range_is_the_kernels(string name)
    {
        SocketOption option = SocketOptionCatalogue.Find(name);
        foreach (SocketKinds kind in OptionSockets.Kinds.Where(kind => (option.Kinds & kind) != 0))
        {
            using Socket fresh = OptionSockets.New(kind);
            if (option.ReadBackName is null && OptionSockets.ValueOf(fresh, option) is null)
            {
                // An older kernel does not know it.
                continue;
            }

            RequireTaken(option, kind, Least(option, kind));
            RequireTaken(option, kind, option.Maximum);
            RequireNotTaken(option, kind, option.Minimum - 1);
            RequireNotTaken(option, kind, option.Maximum + 1);
        }
    }

    /// <summary>The ends that the table says are also those that the parser has.</summary>
    [Theory]
    [MemberData(nameof(Numbers))]
    public void The_parser_takes_the_range_and_no_more(string name)
    {
        SocketOption option = SocketOptionCatalogue.Find(name);
        Assert.True(SocketOptionSetting.TryParse($"{name}={option.Minimum}", out _, out string? error), error);
        Assert.True(SocketOptionSetting.TryParse($"{name}={option.Maximum}", out _, out error), error);
        Assert.False(SocketOptionSetting.TryParse($"{name}={option.Minimum - 1}", out _, out _));
        Assert.False(option.Maximum < long.MaxValue && SocketOptionSetting.TryParse($"{name}={option.Maximum + 1}", out _, out _));
    }

    /// <summary>A kernel's clock has 1,000, 300, 250 or 100 ticks a second, and a time of these has more than one of them.</summary>
    private static long Least(SocketOption option, SocketKinds kind)
    {
        if (option.Name is not ("TCP_RTO_MIN_US" or "TCP_DELACK_MAX_US"))
        {
            return option.Minimum;
        }

        long least = new long[] { 1_001, 3_334, 4_001, 10_001 }.First(number => Set(option, kind, number).Errno == 0);
        Assert.True(least == option.Minimum || Set(option, kind, least - 1).Errno == InvalidArgument, $"{option}: {least}");
        return least;
    }

    private static void RequireTaken(SocketOption option, SocketKinds kind, long number)
    {
        (int errno, string? readBack) = Set(option, kind, number);
        bool isForAnother = errno is NotPermitted or NoSuchDevice or AddressNotAvailable or SocketOptionAccess.NotSupported
            || (errno == InvalidArgument && _bits.Contains(option.Name))
            || (errno is InvalidArgument or SocketOptionAccess.UnknownOption && _choices.Contains(option.Name));
        bool isExplained = option.Change is not null || option.ReadBackName is not null || option.Name is "SO_SNDBUF" or "SO_RCVBUF";
        Assert.True(
            isForAnother || (errno == 0 && (readBack == $"{number}" || isExplained)),
            $"{kind} {option}={number}: errno {errno}, read back {readBack}");
    }

    private static void RequireNotTaken(SocketOption option, SocketKinds kind, long number)
    {
        bool hasRoom = option.Size == sizeof(long)
            ? number != long.MinValue && option.Maximum < long.MaxValue || number < 0
            : number >= int.MinValue && number <= int.MaxValue && (number >= 0 || option.Maximum <= int.MaxValue);
        if (!hasRoom || _meaningless.ContainsKey(option.Name))
        {
            return;
        }

        (int errno, string? readBack) = Set(option, kind, number);
        Assert.True(errno != 0 || readBack != $"{number}", $"{kind} {option}={number} is taken and read back, and the table refuses it");
    }

    private static (int Errno, string? ReadBack) Set(SocketOption option, SocketKinds kind, long number)
    {
        using Socket socket = OptionSockets.New(kind);
        byte[] value = option.Size == sizeof(long) ? BitConverter.GetBytes(number) : BitConverter.GetBytes(unchecked((int)number));
        if (option.IsBigEndian)
        {
            Array.Reverse(value);
        }

        int errno = SocketOptionAccess.Set(socket, option, value);
        return (errno, OptionSockets.ValueOf(socket, option));
    }
}
