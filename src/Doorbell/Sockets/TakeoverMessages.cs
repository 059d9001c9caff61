namespace Doorbell.Sockets;

/// <summary>
/// What the two servers of a takeover say over the unix socket between them, a byte each. The old one sends its listening sockets with
/// <see cref="MoreSockets"/> and ends with <see cref="LastSocket"/>; the new one serves them and says <see cref="Ready"/>; the old one
/// leaves the path to it and says <see cref="GoneFromPath"/>; the new one listens there and says <see cref="Serving"/>. Until then both
/// serve: the old one drains when it has heard that, and a new one that dies before leaves it as it was.
/// </summary>
internal static class TakeoverMessages
{
    public const byte MoreSockets = (byte)'S';
    public const byte LastSocket = (byte)'E';
    public const byte Ready = (byte)'R';
    public const byte GoneFromPath = (byte)'G';
    public const byte Serving = (byte)'V';
}
