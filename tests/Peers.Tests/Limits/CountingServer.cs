using System.Text.Json;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary><c>doorbell serve</c> at one endpoint; at its end it tells what it has counted.</summary>
internal sealed class CountingServer : IDisposable
{
    private readonly Program _program;
    private readonly string? _file;
    private readonly bool _json;

    private CountingServer(Program program, string? file, bool json)
    {
        _program = program;
        _file = file;
        _json = json;
        Listening = program.WaitForLine(json ? "\"listening\"" : "serving ");
        Endpoint = Endpoint.Parse(
            json
                ? JsonDocument.Parse(Listening).RootElement.GetProperty("endpoint").GetString()!
                : Listening[(Listening.LastIndexOf(' ') + 1)..],
            CoapService.Scheme);
    }

    /// <summary>What it said when it began to listen.</summary>
    public string Listening { get; }

    public Endpoint Endpoint { get; }

    public int Id => _program.Id;

    /// <param name="place">tcp, unix, udp or unix+dgram; behind it the word program, if a program is served.</param>
    /// <param name="model">A server model; behind a slash its engine.</param>
    /// <param name="limits">The options under test.</param>
    /// <param name="service">What is served where no program is.</param>
    /// <param name="program">What is served where a program is.</param>
    /// <param name="json">Whether it tells all as JSON.</param>
    public static CountingServer Start(
        string place,
        string model,
        string limits = "",
        string service = "capitalize",
        string program = "sed -u y/abc/ABC/",
        bool json = true)
    {
        (string[] words, string? file) = WordsOf(place, model, limits, service, program, json);
        return new CountingServer(Program.Start(Doorbells.File("native"), words), file, json);
    }

    /// <summary>Starts one that echoes at one door of a configuration file, with limits of this door.</summary>
    public static CountingServer StartDoor(string transport, string model, string limits)
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string endpoint = transport.StartsWith("unix", StringComparison.Ordinal)
            ? $"{transport}://{file}.sock"
            : $"{transport}://127.0.0.1:0";
        File.WriteAllText(
            file, $$"""{ "Doors": [ { "Endpoint": "{{endpoint}}", "Service": "echo", "Limits": { {{limits}} } } ] }""");
        string[] words = ["serve", "--json", "--config", file, .. SpreadOf(model)];
        return new CountingServer(Program.Start(Doorbells.File("native"), words), file, json: true);
    }

    /// <summary>Starts one that can't serve with these limits; what it says.</summary>
    public static Ended Refused(string place, string model, string limits, string service = "capitalize")
    {
        (string[] words, _) = WordsOf(place, model, limits, service, "cat", json: true);
        using Program started = Program.Start(Doorbells.File("native"), words);
        Waiting.Until(() => started.HasEnded || started.Output.Contains("listening", StringComparison.Ordinal), "it starts or it doesn't");
        if (!started.HasEnded)
        {
            started.Signal("TERM");
        }

        return started.WaitForEnd();
    }

    public Caller Call() => Caller.To(Endpoint);

    /// <summary>Ends it in order; the line that says what it has counted.</summary>
    public string End()
    {
        _program.Signal("TERM");
        Ended ended = _program.WaitForEnd();
        string summary = _json ? "\"summary\"" : "served ";
        return ended.Output.Split('\n').FirstOrDefault(line => line.Contains(summary, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"no summary, exit code {ended.ExitCode}: {ended.Output}{ended.Error}");
    }

    public void Dispose()
    {
        _program.Dispose();
        if (_file is not null)
        {
            File.Delete(_file);
        }
    }

    private static string[] SpreadOf(string model) =>
        model.Split('/') is [var name, var engine] ? ["--model", name, "--engine", engine] : ["--model", model];

    private static (string[] Words, string? File) WordsOf(
        string place, string model, string limits, string service, string program, bool json)
    {
        bool isProgram = place.EndsWith("program", StringComparison.Ordinal);
        string transport = place.Split(' ')[0];
        string? file = transport.StartsWith("unix", StringComparison.Ordinal)
            ? Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())
            : null;
        string endpoint = file is null ? $"{transport}://127.0.0.1:0" : $"{transport}://{file}";
        string[] spread = isProgram ? [] : SpreadOf(model);
        string[] served = isProgram ? [endpoint, "--shell", program] : [service, endpoint];
        string[] options = limits.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (["serve", .. json ? ["--json"] : Array.Empty<string>(), "--drain", "2", .. spread, .. options, .. served], file);
    }
}
