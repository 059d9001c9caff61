namespace Doorbell.Sockets;

/// <summary>
/// What the two servers of a takeover say over the unix socket between them, a byte each. The old one sends its listening sockets with
/// <see cref="MoreSockets"/> and ends with <see cref="LastSocket"/>; the new one serves them and says <see cref="Ready"/>; the old one
/// leaves the path to it and says <see cref="GoneFromPath"/>.
/// </summary>
internal static class TakeoverMessages
{
    public const byte MoreSockets = (byte)'S';
    public const byte LastSocket = (byte)'E';
    public const byte Ready = (byte)'R';
    public const byte GoneFromPath = (byte)'G';
}
