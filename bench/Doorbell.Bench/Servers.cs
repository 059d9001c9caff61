namespace Doorbell.Bench;

/// <summary>All servers, as <c>bench/run</c> built them.</summary>
internal sealed class Servers
{
    private const string JarFolder = "/usr/share/java";

    private static readonly string[] _jars = ["netty-buffer.jar", "netty-common.jar", "netty-transport.jar", "netty-resolver.jar"];

    private readonly string _built;

    /// <param name="root">The clone.</param>
    /// <param name="doorbell">The executable to measure; null is the one that <c>bench/run</c> published.</param>
    public Servers(string root, string? doorbell)
    {
        _built = Path.Combine(root, "artifacts", "bench");
        string ours = doorbell ?? Path.Combine(_built, "doorbell", "doorbell");
        string kestrel = Path.Combine(root, "artifacts", "bin", "Kestrel", "release", "Kestrel.dll");
        string sockets = Path.Combine(root, "artifacts", "bin", "Sockets", "release", "Sockets.dll");
        All =
        [
            C("c-epoll", Role.Yardstick, "epoll"),
            C("c-io_uring", Role.Yardstick, "uring"),
            Doorbell("doorbell-epoll", ours, "epoll", "loop", "--workers", "1"),
            Doorbell("doorbell-io_uring", ours, "io_uring", "loop", "--workers", "1"),
            Doorbell("doorbell-portable", ours, "portable", "async"),
            new("tokio", Role.Peer, Built("tokio"), _ => [Built("tokio"), "0"]),
            new("go", Role.Peer, Built("go"), _ => [Built("go"), "0"]),
            new("netty", Role.Peer, Built("netty/Capitalize.class"), _ => ["java", "-cp", ClassPath(), "Capitalize", "0"])
            {
                CompilesItself = true,
            },
            DotNet("kestrel", kestrel, "0"),
            DotNet("dotnet-sockets", sockets, "tcp", "0"),
            C("c-recvfrom", Role.Yardstick, "udp"),
            C("c-recvmmsg", Role.Yardstick, "udp_batch"),
            C("c-recvmmsg-gro", Role.Yardstick, "udp_batch", "trains"),
            DotNet("dotnet-udpclient", sockets, "udp-client", "0"),
            DotNet("dotnet-eventargs", sockets, "udp-event-args", "0"),
        ];
    }

    public IReadOnlyList<Server> All { get; }

    /// <summary>The load generator.</summary>
    public string Load => Built("load");

    /// <exception cref="InvalidOperationException">There is none of this name.</exception>
    public Server Named(string name) => All.First(server => server.Name == name);

    private string Built(string file) => Path.Combine(_built, file);

    private string ClassPath() => string.Join(':', [Built("netty"), .. _jars.Select(static jar => Path.Combine(JarFolder, jar))]);

    private Server C(string name, Role role, string file, params string[] more) => new(
        name,
        role,
        Built(file),
        service => service == Service.Echo ? [Built(file), "0", "echo"] : [Built(file), "0", .. more]);

    private static Server Doorbell(string name, string file, string engine, string model, params string[] more) => new(
        name,
        Role.Ours,
        file,
        service => service == Service.Datagrams
            ? [file, "serve", "capitalize", "udp://127.0.0.1:0", "--json", "--engine", engine, "--model", "iterative"]
            : [file, "serve", service == Service.Echo ? "echo" : "capitalize", "tcp://127.0.0.1:0", "--json", "--engine", engine,
                "--model", model, .. more])
    {
        Engine = engine,
    };

    private static Server DotNet(string name, string file, params string[] arguments) =>
        new(name, Role.Peer, file, _ => ["dotnet", file, .. arguments]) { CompilesItself = true };
}
