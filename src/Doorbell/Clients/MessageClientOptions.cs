using System.Net.Sockets;

namespace Doorbell;

/// <summary>How a <see cref="MessageClient"/> connects, and what it holds within bounds.</summary>
public sealed record MessageClientOptions
{
    /// <summary>The defaults: one connection, one question at a time.</summary>
    public static MessageClientOptions Default { get; } = new();

    /// <summary>How the sockets are made. Default <see cref="ClientOptions.Default"/>.</summary>
    public ClientOptions Sockets { get; init; } = ClientOptions.Default;

    /// <summary>
    /// The proxies through which each connection is made; the first one is connected, and each connects to the next. Default none.
    /// </summary>
    public IReadOnlyList<TunnelProxy> Via { get; init; } = [];

    /// <summary>
    /// Makes each connection in the place of <see cref="Connector"/>, within a time-out: for one with layers, as
    /// <c>Client.OpenSocketAsync</c> makes it. The client owns the socket. Default null.
    /// </summary>
    public Func<TimeSpan, CancellationToken, Task<Socket>>? Connect { get; init; }

    /// <summary>Bounds resolving and connecting together, each time that a connection is made. Default 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many connections there may be. Another one is made when a question finds none at rest. Default 1.
    /// </summary>
    public int MaxConnections { get; init; } = 1;

    /// <summary>
    /// How many questions may be on their way over one connection, for servers that answer in the order of the questions. Default 1: a
    /// question is sent when the one before has its answer. Whoever asks while no place is free waits, within the question's time-out.
    /// </summary>
    public int MaxPipelined { get; init; } = 1;

    /// <summary>
    /// The longest answer in bytes, its framing included; a longer one fails its question. Default 64 MiB. A <see cref="StreamClient"/>'s
    /// reply that is handed on in pieces may have any length, since it is not held.
    /// </summary>
    public int MaxAnswerBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Whether the server speaks first, as SMTP and FTP do: its first message on each connection is then its greeting
    /// (<see cref="MessageClient.Greeting"/>) and no answer. Default false.
    /// </summary>
    public bool ReadsGreeting { get; init; }

    /// <summary>
    /// Whether a <see cref="StreamClient"/> leaves a CR before a reply's LF in the reply. Default false: it is a part of the line's end,
    /// and goes with it.
    /// </summary>
    public bool KeepsCarriageReturn { get; init; }

    /// <summary>
    /// Whether a line, given without its end, is the last one of a reply, for a <see cref="StreamClient"/> whose server answers in several
    /// lines: they are handed on together, with the ends between them. Default null: every line is a reply.
    /// </summary>
    public Func<ReadOnlySpan<byte>, bool>? IsLastLine { get; init; }

    /// <summary>
    /// Whether a <see cref="StreamClient"/> half-closes its connection behind each question, for a server that answers when it has all. The
    /// reply is then what comes until the server's end, perhaps nothing, and each question has a connection of its own. Default false.
    /// </summary>
    public bool HalfCloses { get; init; }

    internal void Validate()
    {
        if (HalfCloses && IsLastLine is not null)
        {
            throw new ArgumentException(
                "HalfCloses and IsLastLine exclude each other: a reply ends with its last line, or with the connection");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero, nameof(ConnectTimeout));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConnections);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxPipelined);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxAnswerBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxAnswerBytes, Array.MaxLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)MaxConnections * MaxPipelined, int.MaxValue, nameof(MaxPipelined));
    }
}
