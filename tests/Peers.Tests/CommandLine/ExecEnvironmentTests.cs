namespace Doorbell.Tests;

/// <summary>What a program is given: bytes as they are, and nothing of another's connection.</summary>
public sealed class ExecEnvironmentTests
{
    private const string Forged = "6.6.6.6";

    public static TheoryData<string> Transports => ["tcp", "udp", "unix", "unix+dgram"];

    [Theory]
    [MemberData(nameof(Transports))]
    public void No_variable_of_a_connection_is_left_from_the_environment(string transport)
    {
        string[] forged =
        [
            .. from protocol in (string[])["TCP", "TCP6", "UDP", "UDP6", "UNIX", "SSL"]
               from side in (string[])["LOCAL", "REMOTE"]
               from what in (string[])["IP", "PORT", "HOST", "INFO", "PATH", "EUID"]
               select $"{protocol}{side}{what}={Forged}",
            .. from what in (string[])["REMOTE_ADDR", "REMOTE_PORT", "LOCAL_ADDR", "LOCAL_PORT", "PROTO"] select $"NCAT_{what}={Forged}",
            $"PROTO={Forged}", $"REMOTE_ADDR={Forged}", $"REMOTE_PORT={Forged}", $"SOCAT_PEERADDR={Forged}", "KEPT=kept",
        ];
        (Program server, Endpoint endpoint) = Doorbells.StartServer(
            "env", [.. forged, Doorbells.File("native"), "serve", EndpointOf(transport), "--exec", "env"]);
        using (server)
        {
            string told = Doorbells.Run("native", "any\n", "connect", endpoint.ToString()).Output;
            Assert.DoesNotContain(Forged, told, StringComparison.Ordinal);
            Assert.Contains("KEPT=kept\n", told, StringComparison.Ordinal);
            Assert.Contains("PROTO=", told, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Doorbells.Both), MemberType = typeof(Doorbells))]
    public void Bytes_that_are_no_text_reach_the_program_in_arguments_environment_and_paths(string kind)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        string script = $"cd {folder}; n=$(printf 'p\\377'); mkdir \"d$n\"; cd \"d$n\"; "
            + "printf '#!/bin/sh\\nprintf %%s \"$0 $1 $X\" | od -An -tx1 | tr -d \" \\\\n\"' > \"$n\"; chmod +x \"$n\"; "
            + "export X=$(printf 'v\\376') PATH=\"$PWD:$PATH\"; exec \"$0\" serve tcp://127.0.0.1:0 --exec \"$n\" \"$(printf 'a\\375é')\"";
        (Program server, Endpoint endpoint) = Doorbells.StartServer("sh", ["-c", script, Doorbells.File(kind)]);
        using (server)
        {
            string told = Doorbells.Run("native", "", "connect", endpoint.ToString()).Output.Trim();
            Assert.EndsWith("70ff2061fdc3a92076fe", told, StringComparison.Ordinal);
        }

        Assert.Equal(0, Program.Run("rm", ["-r", folder]).ExitCode);
    }

    [Fact]
    public void Bytes_of_a_command_line_for_the_shell_are_those_that_were_given()
    {
        (Program server, Endpoint endpoint) = Doorbells.StartServer(
            "sh",
            ["-c", "exec \"$0\" serve tcp://127.0.0.1:0 --shell \"printf '$(printf 'x\\377')' | od -An -tx1\"", Doorbells.File("native")]);
        using (server)
        {
            Assert.Equal("78ff", Doorbells.Run("native", "", "connect", endpoint.ToString()).Output.Replace(" ", "").Trim());
        }
    }

    private static string EndpointOf(string transport) => transport.StartsWith("unix", StringComparison.Ordinal)
        ? $"{transport}://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}"
        : $"{transport}://127.0.0.1:0";
}
