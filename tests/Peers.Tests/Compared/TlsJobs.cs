using System.Runtime.CompilerServices;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which a server speaks TLS.</summary>
public sealed class TlsJobs
{
    [Fact]
    public void Ask_a_server_over_TLS() => Both("HELLO\n");

    [Fact]
    public void Ask_a_server_over_TLS_whose_authority_is_in_a_file() => Both("HELLO\n");

    [Fact]
    public void Check_the_certificate_of_a_server() => Both("");

    private static void Both(string output, [CallerMemberName] string test = "") => Job.Here(test).BothDo(
        (0, output),
        static (shell, command) =>
        {
            TlsFiles.Make(shell.Folder);
            (Program server, Endpoint endpoint) = TlsFiles.Serve(shell.Folder, "capitalize");
            using Program ends = server;
            shell.Use(6789, endpoint.Port);
            return shell.Run(command);
        });
}
