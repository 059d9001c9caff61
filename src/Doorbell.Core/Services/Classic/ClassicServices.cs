namespace Doorbell;

/// <summary>Five small services, each over streams and datagrams: the capitalizer, and four that inetd(8) has built in.</summary>
public static class ClassicServices
{
    private const string Text = "text/plain; charset=utf-8";

    private static readonly MessageTraits _capitalizes = new() { IsSafe = true, MessageType = Text, AnswerType = Text };

    /// <summary>
    /// Sends each line, or each datagram, back in upper case: Unicode's full default upper case (ß becomes SS). Bytes that aren't valid
    /// UTF-8 pass unchanged, so no input is an error. A line ends at LF or NUL and keeps its end; all the lines that arrived together are
    /// answered together.
    /// </summary>
    public static Service Capitalize { get; } = new("capitalize")
    {
        NewStreamHandler = static _ => new CapitalizeStream(ascii: false),
        NewDatagramHandler = static _ => new CapitalizeDatagrams(ascii: false),
        Traits = _capitalizes,
    };

    /// <summary>
    /// As <see cref="Capitalize"/>, with a to z alone, as C's toupper(3) does in the C locale; other bytes pass unchanged.
    /// </summary>
    public static Service CapitalizeAscii { get; } = new("capitalize")
    {
        NewStreamHandler = static _ => new CapitalizeStream(ascii: true),
        NewDatagramHandler = static _ => new CapitalizeDatagrams(ascii: true),
        Traits = _capitalizes,
    };

    /// <summary>The echo protocol (RFC 862): what comes is sent back.</summary>
    public static Service Echo { get; } = new("echo")
    {
        NewStreamHandler = static _ => new EchoHandlers.EchoStream(),
        NewDatagramHandler = static _ => new EchoHandlers.EchoDatagrams(),
        Traits = new() { IsSafe = true },
    };

    /// <summary>The discard protocol (RFC 863): what comes is thrown away.</summary>
    public static Service Discard { get; } = new("discard")
    {
        NewStreamHandler = static _ => new DiscardHandlers.DiscardStream(),
        NewDatagramHandler = static _ => new DiscardHandlers.DiscardDatagrams(),
        Traits = new() { IsSafe = true },
    };

    /// <summary>
    /// The daytime protocol (RFC 867): the date and time in UTC as a line of text, to whoever connects or sends a datagram.
    /// </summary>
    public static Service Daytime { get; } = new("daytime")
    {
        NewStreamHandler = static _ => new DaytimeHandlers.DaytimeStream(),
        NewDatagramHandler = static _ => new DaytimeHandlers.DaytimeDatagrams(),
        Traits = new() { IsSafe = true, ReadsMessage = false, AnswerType = Text },
    };

    /// <summary>
    /// The time protocol (RFC 868): the seconds since 1900 in 32 bits, to whoever connects or sends a datagram. The number wraps in 2036,
    /// as
    /// the RFC's does.
    /// </summary>
    public static Service Time { get; } = new("time")
    {
        NewStreamHandler = static _ => new TimeHandlers.TimeStream(),
        NewDatagramHandler = static _ => new TimeHandlers.TimeDatagrams(),
        Traits = new() { IsSafe = true, ReadsMessage = false, AnswerType = "application/octet-stream" },
    };
}
