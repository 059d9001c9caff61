namespace Doorbell.Lab.Impair.Streams;

/// <summary>The side of the upstream, whose connection is ours.</summary>
/// <param name="client">The other side.</param>
/// <param name="connection">What both sides share.</param>
/// <param name="over">Told once, when both sides are closed.</param>
internal sealed class ImpairedUpstreamSide(ImpairedSide client, ImpairedConnection connection, Action<ImpairedConnection> over)
    : ImpairedSide(connection, connection.Down, connection.Up, over)
{
    protected override ImpairedSide Other => client;
}
