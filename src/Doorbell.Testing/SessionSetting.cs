using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>What a session is made of, apart from its connection.</summary>
internal readonly record struct SessionSetting(
    StreamHandler Handler,
    ConnectionInfo Connection,
    StreamLimits Limits,
    Ledger Ledger,
    ArrayPool<byte> Pool,
    IReadOnlyList<Func<ConnectionInfo, StreamLayer>> Layers)
{
    /// <summary>What another session asked for; null if the connection was accepted.</summary>
    public ConnectRequest? Request { get; init; }
}
