namespace Doorbell;

/// <summary>A protocol's own scheme of endpoints, such as coap: which transport carries it, and the port it has if none is told.</summary>
/// <param name="Name">As it is written before <c>://</c>, in lower case.</param>
/// <param name="Transport">TCP or UDP.</param>
/// <param name="DefaultPort">Its port where an endpoint tells none.</param>
public sealed record ApplicationScheme(string Name, Transport Transport, int DefaultPort);
