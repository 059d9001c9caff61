using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>
/// Every limit of <c>serve</c>, as <c>--help</c> lists them, under every server model, over every transport, for a service and for a
/// program: it acts at its value and is counted under its name, or the command does not start and says which option has no effect.
/// </summary>
public sealed partial class LimitValueTests
{
    private static readonly string[] _models =
        ["iterative", "process", "prefork", "thread", "pool", "async", "loop/epoll", "loop/io_uring"];

    private static readonly string[] _streams = ["tcp", "unix"];
    private static readonly string[] _streamPrograms = ["tcp program", "unix program"];
    private static readonly string[] _datagrams = ["udp", "unix+dgram", "udp program", "unix+dgram program"];

    /// <summary>By the option: a value that could be meant, and what is tried where it acts.</summary>
    private static readonly Dictionary<string, (string Value, Func<string, string, string?> Try)> _limits = new()
    {
        ["--max-connections"] = ("2", MaxConnections),
        ["--max-per-address"] = ("2", MaxPerAddress),
        ["--at-limit"] = ("close", AtLimitClose),
        ["--refuse"] = ("full", Refuse),
        ["--backlog"] = ("3", Backlog),
        ["--max-buffered"] = ("32k", MaxBuffered),
        ["--idle-timeout"] = ("3", IdleTimeout),
        ["--first-byte-timeout"] = ("3", FirstByteTimeout),
        ["--max-lifetime"] = ("1", MaxLifetime),
        ["--min-rate"] = ("1000", MinRate),
        ["--max-message"] = ("10", MaxMessage),
        ["--max-pending"] = ("10", MaxPending),
        ["--coap-exchanges"] = ("10", static (_, _) => "nothing here speaks CoAP"),
    };

    /// <summary>The options of <c>serve</c> that bound nothing.</summary>
    private static readonly string[] _others =
    [
        "--exec", "--shell", "--ascii", "--allow-target", "--users", "--accept-proxy", "--model", "--engine", "--workers", "--option",
        "--reuse-port", "--takeover", "--takeover-changes", "--config", "--drain", "--json", "--verbose", "--help", "--interface",
        "--socket-mode", "--socket-owner", "--socket-group", "--tls", "--tls-cert", "--tls-key", "--self-signed", "--alpn", "--client-ca",
        "--client-cert", "--max-handshakes",
    ];

    public static TheoryData<string> Limits => [.. _limits.Keys];

    [Fact]
    public void Every_option_is_a_limit_that_is_tried_or_none()
    {
        string help = Doorbells.Run("native", "", "serve", "--help").Output;
        string[] options = [.. OptionLine().Matches(help).Select(static line => line.Groups["name"].Value)];
        Assert.Equal(_limits.Keys.Concat(_others).Order(), options.Order());
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void A_limit_acts_at_its_value_under_its_name_or_is_refused(string option)
    {
        (string value, Func<string, string, string?> act) = _limits[option];
        ConcurrentBag<string> wrong = [];
        Parallel.ForEach(
            Combinations(),
            new ParallelOptions { MaxDegreeOfParallelism = 12 },
            combination =>
            {
                (string place, string model) = combination;
                if (Problem(option, value, act, place, model) is { } problem)
                {
                    wrong.Add($"{place}, {model}: {problem}");
                }
            });
        Assert.True(wrong.IsEmpty, $"{option}\n{string.Join('\n', wrong.Order())}");
    }

    private static IEnumerable<(string Place, string Model)> Combinations() =>
        from place in (string[])[.. _streams, .. _streamPrograms, .. _datagrams]
        from model in place.EndsWith("program", StringComparison.Ordinal) ? ["process"] : _models
        select (place, model);

    /// <summary>What is wrong; null if all is right.</summary>
    private static string? Problem(string option, string value, Func<string, string, string?> act, string place, string model)
    {
        try
        {
            if (Acts(option, place, model))
            {
                return act(place, model);
            }

            Ended ended = CountingServer.Refused(place, model, $"{option} {value}");
            return ended.ExitCode == 2 && ended.Error.Contains(option, StringComparison.Ordinal)
                && (ended.Error.Contains("no effect", StringComparison.Ordinal)
                    || ended.Error.Contains("belongs to", StringComparison.Ordinal))
                ? null
                : $"it is taken: exit code {ended.ExitCode}, {ended.Error}";
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            return failed.ToString();
        }
    }

    /// <summary>Where a limit can act; elsewhere nobody may trust one.</summary>
    private static bool Acts(string option, string place, string model)
    {
        bool isStream = _streams.Contains(place);
        bool isProgram = _streamPrograms.Contains(place);
        bool isOneByOne = model == "iterative";
        bool isFixed = model is "iterative" or "pool" or "prefork";
        return option switch
        {
            "--max-connections" => isStream || place.EndsWith("program", StringComparison.Ordinal),
            "--max-per-address" => place is "tcp program" || (place is "tcp" && !isOneByOne),
            "--at-limit" or "--refuse" => isProgram || (isStream && !isFixed),
            "--backlog" or "--idle-timeout" or "--max-lifetime" => isStream || isProgram,
            "--first-byte-timeout" => isStream || place == "tcp program",
            "--max-buffered" => isStream && model != "process",
            "--min-rate" or "--max-message" or "--max-pending" => isStream,
            _ => false,
        };
    }

    private static string? MaxConnections(string place, string model)
    {
        if (_datagrams.Contains(place))
        {
            return MaxProcessesOfDatagrams(place, model);
        }

        int value = model == "iterative" ? 1 : 2;
        using CountingServer server = CountingServer.Start(place, model, $"--max-connections {value} --at-limit backlog");
        List<Caller> callers = [];
        for (int i = 0; i < value; i++)
        {
            callers.Add(server.Call());
            if (callers[^1].Ask("abc") != "ABC\n")
            {
                return $"connection {i + 1} of {value} has no answer";
            }
        }

        using Caller tooMany = server.Call();
        tooMany.Send("abc\n");
        bool waits = tooMany.IsSilentFor(TimeSpan.FromSeconds(0.5)) && callers.All(static caller => caller.Ask("bc") == "BC\n");
        callers[0].Dispose();
        bool comesIn = tooMany.ReceiveLine() == "ABC\n";
        callers.ForEach(static caller => caller.Dispose());
        tooMany.Dispose();
        return !waits ? "one too many does not wait"
            : !comesIn ? "the place of one that left is not given on"
            : Counted(server, ("connections", value + 1), ("errors", 0));
    }

    private static string? MaxPerAddress(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--max-per-address 2");
        using Caller first = server.Call();
        using Caller second = server.Call();
        bool pass = first.Ask("abc") == "ABC\n" && second.Ask("abc") == "ABC\n";
        using Caller tooMany = server.Call();
        string told = tooMany.ReceiveToEnd();
        first.Dispose();
        second.Dispose();
        return !pass ? "two don't pass" : told.Length > 0 ? $"told {told}"
            : Counted(server, ("connections", 2), ("connectionsRefused", 1), ("errors", 1));
    }

    private static string? AtLimitClose(string place, string model) => Closes(place, model, "--at-limit close", "");

    private static string? Refuse(string place, string model) => Closes(place, model, "--refuse full", "full\n");

    private static string? Closes(string place, string model, string limit, string says)
    {
        using CountingServer server = CountingServer.Start(place, model, $"--max-connections 2 {limit}");
        using Caller first = server.Call();
        using Caller second = server.Call();
        bool pass = first.Ask("abc") == "ABC\n" && second.Ask("abc") == "ABC\n";
        using Caller tooMany = server.Call();
        string told = tooMany.ReceiveToEnd();
        first.Dispose();
        second.Dispose();
        return !pass ? "two don't pass" : told != says ? $"told {told}"
            : Counted(server, ("connections", 2), ("connectionsRefused", 1), ("errors", 1));
    }

    /// <summary>The kernel lets one more wait than it was asked for, and one is served.</summary>
    private static string? Backlog(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--backlog 3 --max-connections 1 --at-limit backlog");
        using Caller served = server.Call();
        if (served.Ask("abc") != "ABC\n" || !server.Listening.Contains("\"backlog\":3", StringComparison.Ordinal))
        {
            return $"not served, or {server.Listening}";
        }

        List<Caller> waiting = [];
        for (int i = 0; i < 4; i++)
        {
            waiting.Add(server.Call());
        }

        using Caller? tooMany = Caller.TryTo(server.Endpoint, TimeSpan.FromSeconds(0.5));
        served.Dispose();
        bool areServed = waiting.TrueForAll(static caller =>
        {
            using Caller next = caller;
            return next.Ask("abc") == "ABC\n";
        });
        return tooMany is not null ? "a fifth finds room" : !areServed ? "one that waited is not served"
            : Counted(server, ("connections", 5), ("errors", 0));
    }

    private static string? MaxBuffered(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--max-buffered 32k");
        using Caller honest = server.Call();
        if (honest.Ask("abc") != "ABC\n")
        {
            return "no answer within the budget";
        }

        if (model == "iterative")
        {
            honest.Dispose();
        }

        using Caller greedy = server.Call();
        greedy.SendWithoutReadingUntilReset();
        return model != "iterative" && honest.Ask("abc") != "ABC\n" ? "another was hit" : Counted(server, ("bufferBudgetExceeded", 1));
    }

    private static string? IdleTimeout(string place, string model) =>
        AtItsTime(place, model, "--idle-timeout 3", "idleTimeout", isError: false, speaks: true);

    private static string? FirstByteTimeout(string place, string model) =>
        AtItsTime(place, model, "--first-byte-timeout 3", "firstByteTimeout", isError: true, speaks: false);

    /// <summary>A client that does something in time stays for longer; one that does nothing is closed, and not before.</summary>
    private static string? AtItsTime(string place, string model, string limit, string name, bool isError, bool speaks)
    {
        using CountingServer server = CountingServer.Start(place, model, limit);
        using Caller inTime = server.Call();
        for (int i = 0; i < 4; i++)
        {
            if (inTime.Ask("abc") != "ABC\n" || !inTime.IsSilentFor(TimeSpan.FromSeconds(0.9)))
            {
                return "one in time is closed";
            }
        }

        inTime.Dispose();
        using Caller late = server.Call();
        long began = Stopwatch.GetTimestamp();
        if (speaks)
        {
            late.Ask("abc");
        }

        string told = late.ReceiveToEnd();
        TimeSpan after = Stopwatch.GetElapsedTime(began);
        return told.Length > 0 || after < TimeSpan.FromSeconds(2.9) ? $"\"{told}\" came, and the end after {after}"
            : Counted(server, ("connections", 2), (name, 1), ("errors", isError ? 1 : 0));
    }

    private static string? MaxLifetime(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--max-lifetime 1");
        long began = Stopwatch.GetTimestamp();
        using Caller old = server.Call();
        while (old.Ask("abc") == "ABC\n" && old.IsSilentFor(TimeSpan.FromSeconds(0.05)))
        {
        }

        TimeSpan after = Stopwatch.GetElapsedTime(began);
        old.Dispose();
        using Caller young = server.Call();
        bool isServed = young.Ask("abc") == "ABC\n";
        young.Dispose();
        return after < TimeSpan.FromSeconds(0.95) ? $"closed after {after}" : !isServed ? "the next is not served"
            : Counted(server, ("connections", 2), ("lifetimeExceeded", 1), ("errors", 1));
    }

    /// <summary>Nobody is cut off in the first five seconds; who has sent six seconds' worth at once is not behind after them.</summary>
    private static string? MinRate(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--min-rate 1000");
        bool isOneByOne = model == "iterative";
        using Caller? fast = isOneByOne ? null : server.Call();
        fast?.Send(new string('a', 6000));
        using Caller slow = server.Call();
        long began = Stopwatch.GetTimestamp();
        slow.Send("a");
        string told = slow.ReceiveToEnd();
        TimeSpan after = Stopwatch.GetElapsedTime(began);
        bool passes = fast is null || fast.Ask("") == new string('A', 6000) + "\n";
        fast?.Dispose();
        return told.Length > 0 || after < TimeSpan.FromSeconds(4.9) ? $"\"{told}\" came, and the end after {after}"
            : !passes ? "one in time is closed"
            : Counted(server, ("tooSlow", 1), ("errors", 1));
    }

    private static string? MaxMessage(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--max-message 10");
        if (place == "tcp" && CountingServer.Refused(place, model, "--max-message 10", service: "echo") is var refused
            && !refused.Error.Contains("--max-message has no effect on echo", StringComparison.Ordinal))
        {
            return $"echo: {refused}";
        }

        foreach (int length in (int[])[9, 10])
        {
            using Caller within = server.Call();
            within.Send(new string('a', length));
            if (!within.IsSilentFor(TimeSpan.FromSeconds(0.2)) || within.Ask("") != new string('A', length) + "\n")
            {
                return $"{length} bytes don't pass";
            }
        }

        using Caller over = server.Call();
        over.Send(new string('a', 11));
        string told = over.ReceiveToEnd();
        return told.Length > 0 ? $"\"{told}\" came" : Counted(server, ("connections", 3), ("messageTooLarge", 1), ("errors", 1));
    }

    private static string? MaxPending(string place, string model)
    {
        using CountingServer server = CountingServer.Start(place, model, "--max-pending 10", service: "echo");
        foreach (int length in (int[])[9, 10])
        {
            using Caller within = server.Call();
            if (within.Ask(new string('a', length - 1)) is var answer && answer.Length != length)
            {
                return $"{length} bytes don't pass: \"{answer}\"";
            }
        }

        using Caller over = server.Call();
        string told = over.Ask(new string('a', 10));
        return told.Length > 0 ? $"\"{told}\" came"
            : Counted(server, ("connections", 3), ("pendingOutputExceeded", 1), ("errors", 1));
    }

    /// <summary>What a program is started for waits in the socket meanwhile.</summary>
    private static string? MaxProcessesOfDatagrams(string place, string model)
    {
        using Scratch gate = new(".gate");
        string program = $"read n; if [ $n = held ]; then while [ ! -e {gate.Path} ]; do sleep 0.02; done; fi; echo $n";
        using CountingServer server = CountingServer.Start(place, model, "--max-connections 2", program: program);
        using DatagramCaller caller = new(server.Endpoint);
        caller.Send("held\n");
        caller.Send("pass\n");
        string first = caller.Receive();
        caller.Send("held\n");
        caller.Send("wait\n");
        bool waits = caller.IsSilentFor(TimeSpan.FromSeconds(0.5));
        File.WriteAllText(gate.Path, "");
        string[] rest = [.. Enumerable.Range(0, 3).Select(_ => caller.Receive()).Order()];
        return first != "pass\n" ? $"beside one: \"{first}\"" : !waits ? "a third is not kept waiting"
            : rest is not ["held\n", "held\n", "wait\n"] ? string.Join(' ', rest)
            : Counted(server, ("datagramsReceived", 4), ("datagramsSent", 4), ("errors", 0));
    }

    /// <summary>What the summary says beside what is to be; null if that is the same.</summary>
    private static string? Counted(CountingServer server, params (string Name, long Count)[] expected)
    {
        JsonElement summary = JsonDocument.Parse(server.End()).RootElement;
        JsonElement closed = summary.GetProperty("connectionsClosed");
        bool isRight = expected.All(each =>
            (summary.TryGetProperty(each.Name, out JsonElement count) || closed.TryGetProperty(each.Name, out count))
                && count.GetInt64() == each.Count);
        return isRight ? null : $"{string.Join(", ", expected)}, and the summary says {summary}";
    }

    [GeneratedRegex(@"^ +(?:-\?, -h, |-\w, )?(?<name>--[a-z0-9-]+)(?: <[^\n]*?>)?", RegexOptions.Multiline)]
    private static partial Regex OptionLine();
}
