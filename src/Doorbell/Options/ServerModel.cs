using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Doorbell.Options;

namespace Doorbell;

/// <summary>What carries sessions in a <see cref="ServerModel"/>.</summary>
public enum LaneKind
{
    /// <summary>A task on the thread pool.</summary>
    Task,

    /// <summary>A thread of its own.</summary>
    Thread,

    /// <summary>A process of its own.</summary>
    Process,
}

/// <summary>How a server spreads its connections: three facts. No service knows or cares.</summary>
/// <param name="Name">As the command line names it.</param>
/// <param name="Lane">What a lane is.</param>
/// <param name="Lanes">How many lanes at most; <see cref="Many"/> for one a connection, within the server's limit.</param>
/// <param name="SessionsPerLane">How many sessions a lane carries at once: 1, or <see cref="Many"/>.</param>
/// <remarks>
/// Datagrams know no connections: over them a lane is a socket of its own, which shares the port with the other lanes' by
/// SO_REUSEPORT, and there are as many as lanes, or as processors where the lanes are many.
/// </remarks>
[TypeConverter(typeof(ServerModelConverter))]
public sealed record ServerModel(string Name, LaneKind Lane, int Lanes, int SessionsPerLane) : ISpanParsable<ServerModel>
{
    /// <summary>As a number of lanes or sessions: one for each connection.</summary>
    public const int Many = int.MaxValue;

    /// <summary>Threads of a pool that says no other number: 16.</summary>
    public const int DefaultThreads = 16;

    /// <summary>Processes of a prefork that says no other number: 8. Each has its own memory, so that switching costs more.</summary>
    public const int DefaultProcesses = 8;

    /// <summary>Most workers: 1,024.</summary>
    public const int MaxWorkers = 1024;

    /// <summary>One connection at a time, the rest waits in the backlog: the textbook's loop. Linux.</summary>
    public static ServerModel Iterative { get; } = new("iterative", LaneKind.Thread, 1, 1);

    /// <summary>
    /// A process for each connection: the program itself, started anew (posix_spawn(3), never a copy of the parent's memory) and
    /// given the connected socket. Linux.
    /// </summary>
    public static ServerModel Process { get; } = new("process", LaneKind.Process, Many, 1);

    /// <summary>A thread for each connection. Its stack is <see cref="ThreadStackBytes"/>. Linux.</summary>
    public static ServerModel Thread { get; } = new("thread", LaneKind.Thread, Many, 1);

    /// <summary>A task for each connection, on System.Net.Sockets' asynchronous calls. Runs everywhere.</summary>
    public static ServerModel Async { get; } = new("async", LaneKind.Task, Many, 1);

    /// <summary>
    /// Bytes of address space that a lane's thread has for its stack, 256 KiB: the kernel gives memory for what is touched only.
    /// A handler that recurses deeply wants <see cref="Async"/> instead.
    /// </summary>
    public static int ThreadStackBytes => 256 * 1024;

    /// <summary>The models' names, as the command line takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["iterative", "process", "prefork", "thread", "pool", "async", "loop"];

    /// <summary>How many sockets a datagram endpoint is spread over.</summary>
    internal int DatagramLanes => this switch
    {
        { Lane: LaneKind.Task } => 1,
        { Lanes: Many } => Environment.ProcessorCount,
        _ => Lanes,
    };

    /// <summary>Long-lived processes that share the listener, each serving one connection at a time. Linux.</summary>
    /// <param name="workers">How many; 1 to <see cref="MaxWorkers"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number.</exception>
    public static ServerModel Prefork(int workers = DefaultProcesses) => new("prefork", LaneKind.Process, Checked(workers), 1);

    /// <summary>Threads that each accept for themselves and serve one connection at a time. Linux.</summary>
    /// <param name="workers">How many; 1 to <see cref="MaxWorkers"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number.</exception>
    public static ServerModel Pool(int workers = DefaultThreads) => new("pool", LaneKind.Thread, Checked(workers), 1);

    /// <summary>Event loops (epoll(7), io_uring(7)) that share the listeners, each with all the connections it accepts. Linux.</summary>
    /// <param name="workers">How many loops; null for one a processor.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 to <see cref="MaxWorkers"/>.</exception>
    public static ServerModel Loop(int? workers = null) =>
        new("loop", LaneKind.Thread, Checked(workers ?? Environment.ProcessorCount), Many);

    /// <summary>A model by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="workers">For prefork, pool and loop; null for the model's default.</param>
    /// <exception cref="ArgumentException">No such model, or one that has no fixed number of workers.</exception>
    public static ServerModel Named(string name, int? workers = null)
    {
        ServerModel model = name switch
        {
            "iterative" => Iterative,
            "process" => Process,
            "prefork" => Prefork(workers ?? DefaultProcesses),
            "thread" => Thread,
            "pool" => Pool(workers ?? DefaultThreads),
            "async" => Async,
            "loop" => Loop(workers),
            _ => throw new ArgumentException(
                $"\"{PrintableText.Escape(name)}\" is no server model: {NearName.Advice(name, Names)}"),
        };
        return workers is not null && name is not ("prefork" or "pool" or "loop")
            ? throw new ArgumentException($"The model {name} has no fixed number of workers: prefork, pool and loop do.")
            : model;
    }

    /// <summary>Reads a model as configurations have it.</summary>
    /// <param name="text">
    /// One of <see cref="Names"/>; behind prefork, pool and loop there may be a colon and how many workers, as in <c>pool:8</c>.
    /// </param>
    /// <exception cref="FormatException">It is none; the message is one line that says what would be right.</exception>
    public static ServerModel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':');
        int? workers = null;
        if (colon >= 0)
        {
            bool isNumber = int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int number);
            workers = isNumber && number is >= 1 and <= MaxWorkers
                ? number
                : throw new FormatException(
                    $"\"{PrintableText.Escape(text)}\" is no server model: behind the colon stand 1 to {MaxWorkers} workers, as in pool:8");
        }

        try
        {
            return Named(colon < 0 ? text : text[..colon], workers);
        }
        catch (ArgumentException wrong)
        {
            throw new FormatException(wrong.Message, wrong);
        }
    }

    /// <summary>As <see cref="Parse(string)"/> reads it.</summary>
    public override string ToString() =>
        Name is "prefork" or "pool" or "loop" ? string.Create(CultureInfo.InvariantCulture, $"{Name}:{Lanes}") : Name;

    /// <summary>As <see cref="Parse(string)"/>.</summary>
    /// <param name="text">A model's text.</param>
    /// <param name="model">The model, if it is one.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ServerModel? model)
    {
        try
        {
            model = text is null ? null : Parse(text);
        }
        catch (FormatException)
        {
            model = null;
        }

        return model is not null;
    }

    static ServerModel IParsable<ServerModel>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<ServerModel>.TryParse(string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out ServerModel result) =>
        TryParse(s, out result);

    static ServerModel ISpanParsable<ServerModel>.Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s.ToString());

    static bool ISpanParsable<ServerModel>.TryParse(
        ReadOnlySpan<char> s, IFormatProvider? provider, [MaybeNullWhen(false)] out ServerModel result) =>
        TryParse(s.ToString(), out result);

    private static int Checked(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, MaxWorkers);
        return workers;
    }
}
