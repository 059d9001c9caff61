namespace Doorbell;

/// <summary>
/// A program that serves, in the place of a handler: over streams a process for each connection, with the socket as its standard
/// input and output (inetd(8)'s "nowait"); over datagrams a process for each datagram, which it reads from standard input and
/// answers on standard output. Its environment names its peer, as UCSPI and as ncat have it. Its name and arguments may hold bytes that
/// aren't UTF-8, as <see cref="SystemText"/> writes them.
/// </summary>
/// <param name="FileName">A path, or a name that PATH is searched for.</param>
/// <param name="Arguments">Its arguments, without its own name.</param>
public sealed record ServiceProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>
    /// How long a process may go on after its connection has ended; then it and its process group get SIGTERM, and a second later
    /// SIGKILL. Default 5 seconds.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the process of a datagram may take; then it is killed and there is no answer. Default 10 seconds.</summary>
    public TimeSpan DatagramTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A command line for the shell: <c>/bin/sh -c COMMAND</c>.</summary>
    /// <param name="command">As one types it.</param>
    public static ServiceProgram Shell(string command) => new("/bin/sh", ["-c", command]);
}
