namespace Doorbell.Tests;

/// <summary>A certificate in files, as openssl(1) makes it, and a server that has it.</summary>
internal static class TlsFiles
{
    private const string MakeBoth =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
            + "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2>&1";

    /// <summary>Writes <c>cert.pem</c> and <c>key.pem</c> into a folder.</summary>
    public static void Make(string folder)
    {
        Ended made = Program.Run("bash", ["-c", $"cd '{folder}' && {MakeBoth}"]);
        Assert.True(made.ExitCode == 0, made.Output);
    }

    /// <summary>Serves with them, at a free port.</summary>
    public static (Program Server, Endpoint Endpoint) Serve(string folder, string service, params string[] more) => Doorbells.Serve(
        "native",
        [
            service, "tls://127.0.0.1:0", "--tls-cert", Path.Combine(folder, "cert.pem"), "--tls-key", Path.Combine(folder, "key.pem"),
            .. more,
        ]);
}
