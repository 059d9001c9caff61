using System.Collections;
using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>This process's environment as a child of ours gets it: bytes, as <c>NAME=VALUE</c>.</summary>
internal static class InheritedEnvironment
{
    /// <summary>What tells a worker process its sockets; no other process gets it.</summary>
    public const string WorkerVariable = "DOORBELL_WORKER";

    /// <summary>
    /// What describes a connection to the program that serves it. Whatever started this process may have left some of it behind, and
    /// whoever reads it trusts it: a child has what we say of its own connection, and nothing else.
    /// </summary>
    private static readonly string[] _ofConnections =
    [
        "NCAT_", "SOCAT_", // ncat(1) and socat(1)
        "REMOTE_", // systemd.socket(5), and CGI (RFC 3875 section 4.1)
        .. from protocol in (string[])["TCP", "TCP6", "UDP", "UDP6", "UNIX", "SSL"] // cr.yp.to/proto/ucspi.txt
           from side in (string[])["LOCAL", "REMOTE"]
           select protocol + side,
    ];

    /// <summary>The variables, without what names this process's own sockets and peers.</summary>
    /// <remarks>
    /// The runtime's copy is text, in which a byte that isn't UTF-8 is lost. So what the kernel was given (/proc/self/environ) is taken
    /// wherever the runtime's copy says the same.
    /// </remarks>
    public static List<byte[]> Read()
    {
        Dictionary<string, string> now = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            now[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        List<byte[]> all = [];
        HashSet<string> said = [];
        foreach ((string name, byte[] entry, string shown, string value) in InitialEnvironment.Read())
        {
            // A name that isn't UTF-8 can't be changed through the runtime.
            bool isText = name == shown;
            bool isSame = now.TryGetValue(shown, out string? current) && current == value;
            if ((!isText || isSame) && !IsOurs(name) && said.Add(name))
            {
                all.Add(entry);
            }

            if (!isText)
            {
                now.Remove(shown);
            }
        }

        foreach ((string name, string value) in now.Where(variable => !IsOurs(variable.Key) && !said.Contains(variable.Key)))
        {
            all.Add(SystemText.ToBytes($"{name}={value}"));
        }

        return all;
    }

    /// <summary>The value of a variable, with the bytes that aren't UTF-8 (<see cref="SystemText"/>); null if there is none.</summary>
    public static string? ValueOf(string name)
    {
        byte[] start = SystemText.ToBytes($"{name}=");
        byte[]? found = Read().Find(entry => entry.AsSpan().StartsWith(start));
        return found is null ? null : SystemText.FromBytes(found.AsSpan(start.Length));
    }

    private static bool IsOurs(string name) =>
        name is WorkerVariable or "LISTEN_FDS" or "LISTEN_PID" or "LISTEN_FDNAMES" or "LISTEN_PIDFDID" or "NOTIFY_SOCKET" or "PROTO"
        || _ofConnections.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
