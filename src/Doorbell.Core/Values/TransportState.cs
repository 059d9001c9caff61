namespace Doorbell;

/// <summary>What the system knows of a connection's transport at one moment; see <see cref="ConnectionInfo.ReadTransport"/>.</summary>
/// <param name="IsClosed">
/// The connection is over: reset by the peer, given up by the system since the peer does not answer, or ended in both directions.
/// </param>
/// <param name="IsDelivered">
/// The peer's system has acknowledged all that was sent. Its program may not have read that yet. A reset throws away what is not
/// acknowledged.
/// </param>
public readonly record struct TransportState(bool IsClosed, bool IsDelivered)
{
    /// <summary>Of a system that does not tell: as if the connection were open, and nothing on its way.</summary>
    public static TransportState Unknown { get; } = new(IsClosed: false, IsDelivered: true);
}
