namespace Doorbell.Coap;

/// <summary>What a CoAP client asks.</summary>
public sealed record CoapClientRequest
{
    /// <summary>The method: <see cref="CoapCode.Get"/>, <see cref="CoapCode.Post"/> and so on.</summary>
    public required CoapCode Method { get; init; }

    /// <summary>The resource's path, as <c>sensors/temperature</c>; each segment up to 255 bytes of UTF-8. Default the root.</summary>
    public CoapPath Path { get; init; }

    /// <summary>The arguments, as <c>unit=celsius</c>, each up to 255 bytes of UTF-8. Default none.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>The name the server was called by, if it was a name and not an address (RFC 7252 section 6.4).</summary>
    public string? Host { get; init; }

    /// <summary>The body, sent in blocks if it does not fit a datagram (RFC 7959). Not to be changed before the answer.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The body's format, a number of the registry of RFC 7252 section 12.3; null for none said.</summary>
    public int? ContentFormat { get; init; }

    /// <summary>The only format the answer may have; null for any.</summary>
    public int? Accept { get; init; }

    /// <summary>
    /// Whether the resource is observed (RFC 7641), by GET: the server answers with its state, and then tells each change in a
    /// notification,
    /// until the request is given up. It ends with an answer if the server does not let the resource be observed, or not any more.
    /// </summary>
    public bool Observes { get; init; }

    /// <summary>
    /// Whether the answers of all servers of a multicast group are told, each as a notification, until the request is given up (RFC 7252
    /// section 8). It is sent once. For a socket to a group alone.
    /// </summary>
    public bool Collects { get; init; }

    /// <summary>
    /// Sent again until acknowledged (default), and then with its effect at most once. Otherwise each datagram is sent once: the answer,
    /// or a block, may be lost.
    /// </summary>
    public bool IsConfirmable { get; init; } = true;
}
