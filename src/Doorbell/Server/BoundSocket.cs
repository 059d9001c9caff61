using System.Net.Sockets;

namespace Doorbell;

/// <summary>A socket bound, and listening if it is a stream's.</summary>
/// <param name="Socket">Owned by whoever holds this.</param>
/// <param name="Door">Where it is.</param>
internal sealed record BoundSocket(Socket Socket, Door Door);
