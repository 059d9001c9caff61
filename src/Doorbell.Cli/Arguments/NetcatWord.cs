namespace Doorbell.Cli.Arguments;

/// <summary>The letters of nc(1) and ncat(1), by which many know what these verbs do, and what stands here in their place.</summary>
internal static class NetcatWord
{
    private static readonly string[] _verbs = ["doorbell", "connect", "listen", "ask", "probe", "send", "receive"];

    /// <summary>What to write instead; null where there is nothing to say.</summary>
    /// <param name="verb">The verb that was called; doorbell itself if there was none.</param>
    /// <param name="option">As in <c>-l</c>, or several letters as in <c>-lvp</c>, of which the first is answered.</param>
    public static string? Hint(string verb, string option)
    {
        bool isOfNetcat = _verbs.Contains(verb) && option is ['-', not '-', ..] && option[1..].All(char.IsAsciiLetter);
        return !isOfNetcat ? null : option[1] switch
        {
            'l' => "to listen is a verb, as in doorbell listen tcp://localhost:7000",
            'p' => "a port stands in the endpoint, as in tcp://localhost:7000, and the port to connect from in --from :7000",
            'u' => "UDP is the endpoint's scheme, as in udp://localhost:7000",
            'U' => "a unix socket is an endpoint, as in unix:/run/socket",
            'c' => "a command for the shell stands behind --shell",
            'e' => "a program stands behind --exec",
            'd' => "to read no standard input, write </dev/null",
            'w' => "--timeout bounds connecting, and --idle-timeout all that follows",
            'N' => "the end of standard input half-closes in any case",
            'n' => "an address as the host is not looked up",
            'z' => "to try ports is a verb, as in doorbell probe tcp://localhost:7000-7010",
            'x' => "a proxy stands behind --via",
            _ => null,
        };
    }
}
