namespace Doorbell.Tests;

/// <summary>A capitaliser of three lines in any language is a server at once.</summary>
public sealed class ExecTests
{
    private const string InPython = "import sys\nfor line in sys.stdin:\n    print(line.upper(), end='', flush=True)\n";
    private const string InPerl = "$| = 1;\nwhile (<STDIN>) {\n    print uc }\n";
    private const string InAwk = "{ print toupper($0)\n  fflush()\n}\n";
    private const string InC =
        "#include <ctype.h>\n#include <stdio.h>\nint main(void) { for (int c; (c = getchar()) >= 0;) putchar(toupper(c)); }\n";

    public static TheoryData<string, string> Languages =>
        new MatrixTheoryData<string, string>(["python", "perl", "awk", "c"], ["tcp", "udp"]);

    [Theory]
    [MemberData(nameof(Languages))]
    public void A_program_of_three_lines_serves(string language, string transport)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        (Program server, Endpoint endpoint) = Doorbells.Serve(
            "native", [$"{transport}://127.0.0.1:0", "--exec", .. Make(language, folder)]);
        using (server)
        {
            // Some of them keep what they read or write until there is much of it: so the question is ended, by a half-close.
            Assert.Equal("ONE\n", Doorbells.Run("native", "one\n", "connect", endpoint.ToString()).Output);
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Doorbells.Both), MemberType = typeof(Doorbells))]
    public void Its_complaints_are_in_our_log_escaped_and_with_its_name_and_client(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(
            kind, "tcp://127.0.0.1:0", "--shell", "printf 'bad\\033[31m\\n' >&2; echo ok");
        using (server)
        {
            Assert.Equal("ok\n", Doorbells.Run(kind, "", "connect", endpoint.ToString()).Output);
            server.WaitForErrors("bad\\x1b[31m", 1, orElse: "bad\\e[31m");
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            Assert.Matches(@"tcp://127\.0\.0\.1:\d+: sh\[\d+\] for 127\.0\.0\.1:\d+: bad", ended.Error);
            Assert.Contains("served 1 connection", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Doorbells.Both), MemberType = typeof(Doorbells))]
    public void Each_program_complains_under_its_own_name_also_on_a_line_it_has_not_finished(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(
            kind, "tcp://127.0.0.1:0", "--shell", "printf \"first of $$\\nlast of $$\" >&2; echo $$");
        using (server)
        {
            string[] ids = [.. Enumerable.Range(0, 3).Select(_ => Doorbells.Run(kind, "", "connect", endpoint.ToString()).Output.Trim())];
            server.WaitForErrors("last of", ids.Length);
            server.Signal("TERM");
            string errors = server.WaitForEnd().Error;
            Assert.Equal(ids.Length, ids.Distinct().Count());
            Assert.All(ids, id => Assert.Matches($@"sh\[{id}\] for 127\.0\.0\.1:\d+: first of {id}\r?\n", errors));
            Assert.All(ids, id => Assert.Matches($@"sh\[{id}\] for 127\.0\.0\.1:\d+: last of {id}\r?\n", errors));
        }
    }

    [Theory]
    [InlineData(2, "--exec takes a program", "serve", "--exec")]
    [InlineData(2, "exclude each other", "serve", "--shell", "cat", "--exec", "cat")]
    [InlineData(2, "leave out echo", "serve", "echo", "--exec", "cat")]
    [InlineData(2, "leave out the model thread", "serve", "--model", "thread", "--exec", "cat")]
    [InlineData(1, "ENOENT", "serve", "tcp://127.0.0.1:0", "--exec", "/no/such/program")]
    [InlineData(2, "is no server model", "serve", "--model", "fork")]
    [InlineData(2, "--workers takes a whole number from 1 to", "serve", "--model", "pool", "--workers", "0")]
    [InlineData(2, "has no fixed number of workers", "serve", "--model", "thread", "--workers", "3")]
    [InlineData(2, "--max-connections takes a whole number", "serve", "--max-connections", "0")]
    [InlineData(1, "EBADF", "serve", "fd://77")]
    public void Wrong_usage_is_one_line_that_says_what_to_do(int code, string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(code, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string[] Make(string language, string folder)
    {
        string file = Path.Combine(folder, "upper");
        switch (language)
        {
            case "python":
                File.WriteAllText(file, InPython);
                return ["python3", file];
            case "perl":
                File.WriteAllText(file, InPerl);
                return ["perl", file];
            case "awk":
                File.WriteAllText(file, InAwk);
                return ["awk", "-f", file];
            default:
                File.WriteAllText(file + ".c", InC);
                Assert.Equal(0, Program.Run("gcc", ["-o", file, file + ".c"]).ExitCode);
                return [file];
        }
    }
}
