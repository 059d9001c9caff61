namespace Doorbell.Links;

/// <summary>A kind of network by its name.</summary>
/// <param name="Name">A short name, as in <c>geo-satellite</c>.</param>
/// <param name="Up">From the client to the server.</param>
/// <param name="Down">From the server to the client.</param>
public sealed record LinkProfile(string Name, LinkOptions Up, LinkOptions Down);
