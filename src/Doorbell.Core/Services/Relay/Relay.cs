namespace Doorbell;

/// <summary>
/// A service that carries each connection on to another one, byte for byte: from any kind of stream to any other. A half-close passes
/// through in either direction, a reset as a reset, and a slow peer slows the one behind the other connection.
/// </summary>
public static class Relay
{
    /// <summary>A relay to an upstream.</summary>
    /// <param name="upstreams">
    /// Where to: at least one stream endpoint. Each new connection tries them in this order, the next if one can't be connected; if none
    /// can, it is reset. One that could not be connected is tried behind the others for 5 seconds.
    /// </param>
    /// <exception cref="ArgumentException">There is no upstream, or one that carries datagrams or is no place to connect to.</exception>
    public static Service To(params IReadOnlyList<Endpoint> upstreams) => To(upstreams, RelayOptions.Default);

    /// <summary>A relay to an upstream.</summary>
    /// <param name="upstreams">As above.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">There is no upstream, or one that carries datagrams, or an option makes no sense.</exception>
    public static Service To(IReadOnlyList<Endpoint> upstreams, RelayOptions options)
    {
        options.Validate();
        if (upstreams.Count == 0)
        {
            throw new ArgumentException("A relay needs an upstream.", nameof(upstreams));
        }

        if (upstreams.FirstOrDefault(static upstream => !upstream.IsStream) is { } datagrams)
        {
            throw new ArgumentException($"{datagrams} carries datagrams: a relay's upstreams are streams.", nameof(upstreams));
        }

        if (upstreams.FirstOrDefault(static upstream => !upstream.IsUnix && (upstream.Host == "*" || upstream.Port == 0)) is { } nowhere)
        {
            throw new ArgumentException(
                $"{nowhere} is a place to listen, not one to connect to: name a host and a port.", nameof(upstreams));
        }

        foreach (Endpoint upstream in upstreams)
        {
            TunnelProxy.Validate(options.Via, upstream);
        }

        RelayUpstreams known = new(upstreams);
        ConnectOptions connecting = new() { Timeout = options.ConnectTimeout, Via = options.Via };
        return new Service("relay") { NewStreamHandler = _ => new RelayClientSide(known, options, connecting) };
    }
}
