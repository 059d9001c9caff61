using Doorbell.Coap;
using Doorbell.Tls;

namespace Doorbell.Tests;

/// <summary>The command as users run it: on the runtime, and as the native executable that <c>./test</c> publishes.</summary>
internal static class Doorbells
{
    public static TheoryData<string> Both => ["runtime", "native"];

    /// <summary>The build for Windows that <c>./test</c> publishes; <see cref="Wine"/> runs it.</summary>
    public static string WindowsFile => Existing(Path.Combine(Repository.Root, "artifacts", "portable", "win-x64", "doorbell.exe"));

    public static string File(string kind) => kind == "native"
        ? Existing(Path.Combine(Repository.Root, "artifacts", "native", "doorbell"))
        : Existing(Path.Combine(Repository.Root, "artifacts", "bin", "Doorbell.Cli", "release", "Doorbell.Cli"));

    public static Ended Run(string kind, string input, params string[] arguments) => Program.Run(File(kind), arguments, input);

    public static Program Start(string kind, params string[] arguments) => Program.Start(File(kind), arguments);

    /// <summary>Starts a server of one endpoint and answers its actual address.</summary>
    public static (Program Server, Endpoint Endpoint) Serve(string kind, params string[] arguments) =>
        StartServer(File(kind), ["serve", .. arguments]);

    /// <summary>The same by a program that becomes the server.</summary>
    public static (Program Server, Endpoint Endpoint) StartServer(string file, string[] arguments)
    {
        Program server = Program.Start(file, arguments);
        string line = server.WaitForLine("serving ");
        return (server, Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..], CoapService.Scheme, CoapService.TcpScheme, TlsScheme.Scheme));
    }

    private static string Existing(string path) =>
        System.IO.File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not built: run ./test from the checkout's root");
}
