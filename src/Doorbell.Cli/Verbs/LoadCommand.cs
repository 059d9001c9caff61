using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Printing.Load;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Coap;
using Doorbell.Lab.Load;
using Doorbell.Native;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell load ENDPOINT</c>: asks a server much, and measures how long it takes to answer.</summary>
internal static class LoadCommand
{
    private static readonly Example[] _examples =
    [
        new("doorbell load --connections 50 --duration 2 --expect capitals localhost:6789", "Asks as fast as it answers, and compares"),
        new("doorbell load --rate 1000 --connections 20 --duration 2 tcp://localhost:6789", "Asks at a rate, whether or not answers come"),
        new("doorbell load --connections 4 --duration 1 --plot load.svg udp://localhost:9876 hello", "Asks datagrams, and draws the times"),
    ];

    public static Verb Make()
    {
        Argument<string> first = new("ENDPOINT")
        {
            Description = "Whom to ask: tcp://host:port, udp://host:port, coap://host/path, unix:///path or unix+dgram:///path; "
                + "a host and a port may be two words",
        };
        Argument<string[]> rest = new(WrongUsage.TextArgument)
        {
            Description = "What to ask; several words are joined by spaces. Without it, numbered lines are asked",
            Arity = ArgumentArity.ZeroOrMore,
        };
        LoadArguments load = new();
        ClientArguments sockets = new();
        Option<FileInfo?> plot = PlotFile.Option();
        Option<bool> json = new("--json") { Description = "Print events as JSON, one a line" };
        Verb command = new("load", "Ask a server much, and measure how long it takes to answer", _examples) { first, rest };
        load.AddTo(command);
        sockets.AddTo(command);
        command.Add(plot);
        command.Add(json);
        command.SetAction((parsed, _) =>
        {
            (string target, string? text) = Read(parsed.GetValue(first)!, parsed.GetValue(rest) ?? []);
            ClientOptions client = sockets.Read(parsed, Failure.Say);
            CoapUri? coap = CoapUri.IsMeant(target) ? ReadCoap(target) : null;
            LoadOptions options = coap is null
                ? load.Read(parsed, Parse(target), null, text, client)
                : load.Read(parsed, coap.Endpoint, RequestOf(coap), text, client);
            return RunAsync(options, coap?.ToString() ?? options.Endpoint.ToString(), parsed.GetValue(json), parsed.GetValue(plot));
        });
        return command;
    }

    private static (string Target, string? Text) Read(string first, string[] rest)
    {
        if (rest is [string port, ..] && EndpointWord.IsHostAndPort(first, port))
        {
            (first, rest) = (EndpointWord.HostAndPort(first, port), rest[1..]);
        }

        if (!EndpointWord.IsMeant(first) && !CoapUri.IsMeant(first) && rest.FirstOrDefault(EndpointWord.IsMeant) is { } behind)
        {
            throw new ArgumentException(
                $"the ENDPOINT stands first and what to ask behind it, as in load {PrintableText.Escape(behind)} hello");
        }

        return (first, rest.Length == 0 ? null : string.Join(' ', rest));
    }

    private static Endpoint Parse(string word)
    {
        Endpoint endpoint = EndpointWord.Parse(word);
        EndpointWord.RequireConnectable(endpoint);
        return endpoint;
    }

    private static CoapUri ReadCoap(string text)
    {
        CoapUri uri = CoapUri.Parse(text);
        return uri.Endpoint.IsStream
            ? throw new ArgumentException($"{uri} is CoAP over TCP, which load does not ask: give a coap:// URI")
            : uri.IsGroup ? throw new ArgumentException($"{uri} is a group, whose members all answer: name one server") : uri;
    }

    private static CoapClientRequest RequestOf(CoapUri uri) =>
        new() { Method = CoapCode.Post, Path = uri.Path, Query = uri.Query, Host = uri.HostName };

    private static async Task<int> RunAsync(LoadOptions options, string target, bool json, FileInfo? plot)
    {
        StandardOutput.BecomesConsole();
        if (PlotFile.WhyNot(plot) is { } missing)
        {
            return Failure.Network(missing);
        }

        StopSignals.Listen();
        LoadReport report = new(options, target, json);
        using LoadTest test = new(options);
        LoadResult result;
        try
        {
            result = await RunAsync(test, report, json);
        }
        catch (LoadException failure)
        {
            return Failure.Network(failure.Message);
        }

        report.Summary(result);
        if (plot is not null && LoadPlot.Write(result, options, plot) is { } unwritten)
        {
            return Failure.Network(unwritten);
        }

        return result switch
        {
            _ when OwnShortage(result) is { } lack => Failure.Network($"load {target}: {lack}"),
            { Wrong: > 0 } => Failure.Network(
                $"load {target}: {result.Wrong} answers are not as --expect {options.Answer.Name} says"),
            { Requests: 0, IsInterrupted: false } => Failure.Network($"load {target}: no question was answered"),
            _ => 0,
        };
    }

    /// <summary>What this machine lacked: then fewer have asked than were to ask. Null if it lacked nothing.</summary>
    private static string? OwnShortage(LoadResult result)
    {
        const int TooManyFiles = 24;
        const int TooManyFilesInSystem = 23;
        const int OutOfMemory = 12;
        const int NoBuffers = 105;
        const int NoAddress = 99;
        foreach (int number in (int[])[TooManyFiles, TooManyFilesInSystem, OutOfMemory, NoBuffers, NoAddress])
        {
            Errno errno = Errno.OfLinux(number);
            if (result.Errors.TryGetValue(errno.Name, out long count))
            {
                string advice = number == TooManyFiles ? "raise `ulimit -n`, or give --connections less" : "give --connections less";
                string tries = count == 1 ? "one try to connect" : $"{count} tries to connect";
                return $"{tries} failed with {errno}, since this machine had no more: {advice}";
            }
        }

        return null;
    }

    private static async Task<LoadResult> RunAsync(LoadTest test, LoadReport report, bool json)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First);
        Task<LoadResult> running = test.RunAsync(over.Token);
        Task shown = !json && LoadView.IsPossible ? new LoadView(test).RunAsync(over.Token) : Task.CompletedTask;
        try
        {
            await test.Measuring;
            if (!running.IsCompleted)
            {
                report.Measuring();
            }

            return await running;
        }
        finally
        {
            // If standard output could not be written, it still runs.
            await over.CancelAsync();
            await Task.WhenAny(running);
            await shown;
        }
    }
}
