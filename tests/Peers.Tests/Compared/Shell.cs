using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Doorbell.Tests.Compared;

/// <summary>
/// Where a command of the table runs: a folder of its own, and its ports in place of the table's, so that tests run side by side.
/// All that it has started ends with it.
/// </summary>
internal sealed class Shell : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-job-");
    private readonly List<IDisposable> _started = [];
    private int? _coapPort;
    private string _coapScheme = "coap";
    private readonly SortedDictionary<string, string> _inPlaceOf = new(StringComparer.Ordinal);

    public string Folder => _folder.FullName;

    /// <summary>Writes a file into the command's folder.</summary>
    public void Save(string file, string text) => File.WriteAllText(Path.Combine(Folder, file), text);

    /// <summary>A file that the command has left, or an empty text.</summary>
    public string Read(string file)
    {
        string path = Path.Combine(Folder, file);
        return File.Exists(path) ? File.ReadAllText(path) : "";
    }

    /// <summary>From here on this port is the table's port.</summary>
    public void Use(int tablePort, int port) =>
        _inPlaceOf[tablePort.ToString(CultureInfo.InvariantCulture)] = port.ToString(CultureInfo.InvariantCulture);

    /// <summary>Takes a free port for one of the table's at which the command listens.</summary>
    public int Free(int tablePort, string transport = "tcp")
    {
        int port = Ports.Free(transport);
        Use(tablePort, port);
        return port;
    }

    /// <summary>What the table says of its servers: 6789 capitalizes over TCP, 9876 over UDP.</summary>
    public void ServeCapitalize()
    {
        foreach ((int tablePort, string transport) in new[] { (6789, "tcp"), (9876, "udp") })
        {
            (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", $"{transport}://127.0.0.1:0");
            _started.Add(server);
            Use(tablePort, endpoint.Port);
        }
    }

    /// <summary>The table's CoAP server, at a port of this place's own.</summary>
    public void ServeCoap(string scheme = "coap")
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", $"{scheme}://127.0.0.1:0");
        _started.Add(server);
        (_coapScheme, _coapPort) = (scheme, endpoint.Port);
    }

    /// <summary>A socket of the test listens at one of the table's ports.</summary>
    public Socket Listen(int tablePort)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _started.Add(listener);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Use(tablePort, ((IPEndPoint)listener.LocalEndPoint!).Port);
        return listener;
    }

    /// <summary>A datagram socket of the test is bound to one of the table's ports.</summary>
    public Socket Bind(int tablePort)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        _started.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Use(tablePort, ((IPEndPoint)socket.LocalEndPoint!).Port);
        return socket;
    }

    /// <summary>Connects to a server of the command, as soon as it listens.</summary>
    public static Socket Connect(int port)
    {
        Ports.WaitUntilServed("tcp", port);
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Runs a command to its end.</summary>
    public (int ExitCode, string Output) Run(string command, string input = "")
    {
        Program program = Start(command, input);
        Ended ended = program.WaitForEnd();
        return (ended.ExitCode, ended.Output);
    }

    /// <summary>Starts a command with this input. It ends with this shell at the latest.</summary>
    public Program Start(string command, string? input = null)
    {
        if (_inPlaceOf.Count > 0)
        {
            command = Regex.Replace(command, $@"\b({string.Join('|', _inPlaceOf.Keys)})\b", port => _inPlaceOf[port.Value]);
        }

        if (_coapPort is { } coap)
        {
            command = command.Replace(
                $"{_coapScheme}://localhost/", $"{_coapScheme}://127.0.0.1:{coap}/", StringComparison.Ordinal);
        }

        string path = Path.GetDirectoryName(Doorbells.File("native")) + ":" + Environment.GetEnvironmentVariable("PATH");
        Program program = Program.Start(
            "bash", ["-c", $"cd '{Folder}' && {command}"], new Dictionary<string, string> { ["PATH"] = path, ["LC_ALL"] = "C.UTF-8" });
        _started.Add(program);
        if (input is not null)
        {
            program.Input.Write(Encoding.UTF8.GetBytes(input));
            program.Input.Close();
        }

        return program;
    }

    /// <summary>All that comes until the peer's end.</summary>
    public static string ReadToEnd(Socket socket)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[65_536];
        for (int count = socket.Receive(buffer); count > 0; count = socket.Receive(buffer))
        {
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    public void Dispose()
    {
        _started.ForEach(static started => started.Dispose());
        _folder.Delete(recursive: true);
    }
}
