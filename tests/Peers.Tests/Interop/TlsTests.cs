using System.Globalization;

namespace Doorbell.Tests;

/// <summary>TLS with programs that others have written, on either side.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Python =
        "import socket, ssl, sys; s = ssl.create_default_context(cafile='cert.pem').wrap_socket("
            + "socket.create_connection(('127.0.0.1', int(sys.argv[1]))), server_hostname='localhost'); "
            + "s.sendall(b'hello\\n'); print(s.recv(100).decode(), end=''); s.unwrap()";

    private const string Node =
        "const s = require('tls').connect({port: +process.argv[1], host: '127.0.0.1', servername: 'localhost', "
            + "ca: require('fs').readFileSync('cert.pem')}, () => s.write('hello\\n')); "
            + "s.on('data', d => { process.stdout.write(d); s.end(); })";

    private const string PythonServer =
        "import socket, ssl, sys; c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('cert.pem', 'key.pem'); "
            + "l = socket.create_server(('127.0.0.1', int(sys.argv[1]))); s = c.wrap_socket(l.accept()[0], server_side=True); "
            + "s.sendall(s.recv(100).upper()); s.unwrap()";

    private const string Java = """
        import java.io.*; import java.nio.file.*; import java.security.*; import java.security.cert.*; import javax.net.ssl.*;
        public class Ask {
            public static void main(String[] a) throws Exception {
                KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
                trusted.load(null);
                trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509")
                    .generateCertificate(Files.newInputStream(Path.of("cert.pem"))));
                TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(trusted);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trust.getTrustManagers(), null);
                try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", Integer.parseInt(a[0]))) {
                    s.getOutputStream().write("hello\n".getBytes());
                    System.out.println(new BufferedReader(new InputStreamReader(s.getInputStream())).readLine());
                }
            }
        }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-tls-");

    public TlsTests() => TlsFiles.Make(_folder.FullName);

    public static TheoryData<string> Clients => new()
    {
        "(echo hello; sleep 1) | openssl s_client -connect 127.0.0.1:PORT -CAfile cert.pem -verify_return_error -quiet -no_ign_eof "
            + "2>/dev/null",
        "(echo hello; sleep 1) | openssl s_client -connect 127.0.0.1:PORT -tls1_2 -CAfile cert.pem -verify_return_error -quiet "
            + "-no_ign_eof 2>/dev/null",
        "(echo hello; sleep 1) | ncat --ssl-verify --ssl-trustfile cert.pem localhost PORT",
        "echo hello | socat -t5 - OPENSSL:localhost:PORT,cafile=cert.pem",
        $"python3 -c \"{Python}\" PORT",
        $"node -e \"{Node}\" PORT",
        "java Ask.java PORT",
    };

    public static TheoryData<string> Servers => new()
    {
        "openssl s_server -accept PORT -cert cert.pem -key key.pem -quiet -naccept 1 -rev",
        "socat OPENSSL-LISTEN:PORT,cert=cert.pem,key=key.pem,verify=0 EXEC:'tr a-z A-Z'",
        $"python3 -c \"{PythonServer}\" PORT",
    };

    [Theory]
    [MemberData(nameof(Clients))]
    public void A_client_of_others_is_answered(string client)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "Ask.java"), Java);
        (Program server, Endpoint endpoint) = TlsFiles.Serve(_folder.FullName, "capitalize");
        using Program ends = server;
        Ended ended = Here(client, endpoint.Port);
        Assert.Equal("HELLO\n", ended.Output);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public void A_server_of_others_is_asked(string command)
    {
        int port = Ports.Free("tcp");
        using Program server = Start(command, port);
        Ports.WaitUntilServed("tcp", port);
        Ended ended = Doorbells.Run(
            "native", "hello\n", "connect", "--ca", Path.Combine(_folder.FullName, "cert.pem"), "--servername", "localhost",
            $"tls://127.0.0.1:{port}");
        Assert.Contains(command.EndsWith("-rev", StringComparison.Ordinal) ? "olleh" : "HELLO", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Curl_reads_what_comes_over_TLS_and_is_told_400_where_it_speaks_plain_HTTP()
    {
        (Program server, Endpoint endpoint) = TlsFiles.Serve(_folder.FullName, "daytime");
        using Program ends = server;
        Ended told = Here("curl -sS --http0.9 --cacert cert.pem https://localhost:PORT/", endpoint.Port);
        Assert.EndsWith("-UTC\n", told.Output, StringComparison.Ordinal);
        Ended plain = Here("curl -sS -o body -w '%{http_code}' http://localhost:PORT/", endpoint.Port);
        Assert.Equal("400", plain.Output.TrimEnd());
    }

    [Fact]
    public void A_key_update_changes_nothing_and_a_renegotiation_is_refused()
    {
        (Program server, Endpoint endpoint) = TlsFiles.Serve(_folder.FullName, "capitalize");
        using Program ends = server;
        Ended update = Here(
            "(echo K; sleep 1; echo k; sleep 1; echo hello; sleep 1) | openssl s_client -connect 127.0.0.1:PORT -tls1_3 2>&1",
            endpoint.Port);
        Assert.Contains("KEYUPDATE", update.Output, StringComparison.Ordinal);
        Assert.Contains("HELLO", update.Output, StringComparison.Ordinal);
        Ended again = Here("(echo R; sleep 1; echo hello; sleep 1) | openssl s_client -connect 127.0.0.1:PORT -tls1_2 2>&1", endpoint.Port);
        Assert.Contains("RENEGOTIATING", again.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("HELLO", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Client_certificates_are_required()
    {
        string certificate = Path.Combine(_folder.FullName, "cert.pem");
        string key = Path.Combine(_folder.FullName, "key.pem");
        (Program server, Endpoint endpoint) = TlsFiles.Serve(_folder.FullName, "capitalize", "--client-ca", certificate);
        using Program ends = server;
        string[] ask = ["ask", "--raw", "--ca", certificate, endpoint.ToString(), "hello"];
        Assert.Equal("HELLO\n", Doorbells.Run("native", "", [.. ask, "--cert", certificate, "--key", key]).Output);
        Assert.Equal(1, Doorbells.Run("native", "", ask).ExitCode);

        // Its handshake has gone well, and what it sends is not taken.
        Ended cut = Doorbells.Run("native", new string('x', 100_000), "connect", "--ca", certificate, endpoint.ToString());
        Assert.Equal((1, ""), (cut.ExitCode, cut.Output));
        Assert.NotEqual("", cut.Error);
    }

    [Fact]
    public void A_certificate_that_changes_is_read_again_and_open_connections_stay()
    {
        (Program server, Endpoint endpoint) = TlsFiles.Serve(_folder.FullName, "capitalize");
        using Program ends = server;
        string old = Path.Combine(_folder.FullName, "old.pem");
        string certificate = Path.Combine(_folder.FullName, "cert.pem");
        File.Copy(certificate, old);
        using Program open = Doorbells.Start("native", "connect", "--ca", old, endpoint.ToString());
        open.Input.Write("before\n"u8);
        open.Input.Flush();
        _ = open.WaitForLine("BEFORE");
        TlsFiles.Make(_folder.FullName);
        Waiting.Until(
            () => Doorbells.Run("native", "", "ask", "--raw", "--ca", certificate, endpoint.ToString(), "new").Output == "NEW\n",
            "the new certificate is shown");
        open.Input.Write("after\n"u8);
        open.Input.Flush();
        _ = open.WaitForLine("AFTER");
    }

    [Theory]
    [InlineData("TLS needs a certificate", "serve", "tls://127.0.0.1:0")]
    [InlineData("--tls-cert is for TLS", "serve", "tcp://127.0.0.1:0", "--tls-cert", "x")]
    [InlineData("--tls is for streams", "serve", "udp://127.0.0.1:0", "--tls")]
    [InlineData("give the connection itself to a process", "serve", "tls://127.0.0.1:0", "--self-signed", "--shell", "cat")]
    [InlineData("--tls-cert nofile: it can't be read: ENOENT", "serve", "tls://127.0.0.1:0", "--tls-cert", "nofile")]
    [InlineData("exclude each other", "serve", "tls://127.0.0.1:0", "--tls-cert", "x", "--self-signed")]
    [InlineData("--client-cert goes with --client-ca", "serve", "tls://127.0.0.1:0", "--self-signed", "--client-cert", "optional")]
    [InlineData("--tls-cert /dev/zero: it can't be read: it is no regular file", "serve", "tls://127.0.0.1:0", "--tls-cert", "/dev/zero")]
    [InlineData("--tls-cert /tmp: it can't be read: EISDIR (Is a directory)", "serve", "tls://127.0.0.1:0", "--tls-cert", "/tmp")]
    [InlineData("--key /dev/zero: it can't be read", "ask", "--cert", "/etc/passwd", "--key", "/dev/zero", "tls://127.0.0.1:1", "x")]
    [InlineData("speaks a protocol that Doorbell does not have over TLS", "serve", "coap+tcp://127.0.0.1:0", "--tls", "--self-signed")]
    [InlineData("--pin is for TLS", "ask", "--pin", "x", "tcp://127.0.0.1:1", "text")]
    [InlineData("is no SHA-256 of a certificate", "ask", "--pin", "x", "tls://127.0.0.1:1", "text")]
    [InlineData("exclude each other", "ask", "--insecure", "--ca", "x", "tls://127.0.0.1:1", "text")]
    [InlineData("--key is the private key of --cert", "connect", "--key", "x", "tls://127.0.0.1:1")]
    [InlineData("--tls is for streams", "connect", "--tls", "udp://127.0.0.1:1")]
    [InlineData("--ca is for TLS", "relay", "tcp://127.0.0.1:0", "tcp://127.0.0.1:1", "--ca", "x")]
    public void Wrong_usage_is_told_in_one_line(string what, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(what, ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private Ended Here(string command, int port) => Program.Run("bash", ["-c", InFolder(command, port)]);

    private Program Start(string command, int port) => Program.Start("bash", "-c", InFolder($"exec {command}", port));

    private string InFolder(string command, int port) =>
        $"cd '{_folder.FullName}' && {command.Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}";
}
