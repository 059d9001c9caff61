using System.Text;

namespace Doorbell;

/// <summary>What a <see cref="SocksProxy"/> or an <see cref="HttpProxy"/> allows to whom, and its bounds.</summary>
public sealed record TunnelOptions
{
    /// <summary>The defaults.</summary>
    public static TunnelOptions Default { get; } = new();

    /// <summary>
    /// Where clients may connect to. A name is resolved first, and each of its addresses has to be in one of the ranges. Default null:
    /// a client of this machine may connect to everywhere, since it could do so without the proxy; any other client to nowhere.
    /// </summary>
    public IReadOnlyList<TargetRange>? Targets { get; init; }

    /// <summary>
    /// Passwords by user name; a client has to give one of them, in the clear. Default null: no client is asked.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Users { get; init; }

    /// <summary>A client has so long to say where to. Default 10 seconds.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long resolving and connecting may take. Default 10 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Most bytes of an HTTP request's head. Default 16 KiB.</summary>
    public int MaxHeadBytes { get; init; } = 16 * 1024;

    /// <summary>As <see cref="RelayOptions.BufferBytes"/>, once it is connected. Default 64 KiB.</summary>
    public int BufferBytes { get; init; } = 64 * 1024;

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size or a time-out is not positive.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RequestTimeout, TimeSpan.Zero, nameof(RequestTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero, nameof(ConnectTimeout));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxHeadBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(BufferBytes);
    }

    /// <summary>Where a client may connect to.</summary>
    internal IReadOnlyList<TargetRange>? TargetsOf(ConnectionInfo client) =>
        Targets is not null ? Targets : client.Peer.IsLoopback && client.TransportPeer.IsLoopback ? null : [];

    /// <summary>Whether it is one of <see cref="Users"/>; takes as long for a wrong password as for a right one.</summary>
    internal bool Knows(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        bool found = false;
        foreach ((string name, string secret) in Users ?? new Dictionary<string, string>())
        {
            found |= AreSame(user, Encoding.UTF8.GetBytes(name)) & AreSame(password, Encoding.UTF8.GetBytes(secret));
        }

        return found;
    }

    /// <summary>Looks at every byte, wherever the first difference is. (The core references no cryptography, which has this too.)</summary>
    private static bool AreSame(ReadOnlySpan<byte> given, ReadOnlySpan<byte> known)
    {
        int different = given.Length ^ known.Length;
        for (int i = 0; i < Math.Min(given.Length, known.Length); i++)
        {
            different |= given[i] ^ known[i];
        }

        return different == 0;
    }
}
