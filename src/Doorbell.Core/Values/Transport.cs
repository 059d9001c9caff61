namespace Doorbell;

/// <summary>What carries an endpoint's bytes.</summary>
public enum Transport
{
    /// <summary>TCP (RFC 9293): a stream.</summary>
    Tcp,

    /// <summary>UDP (RFC 768): datagrams.</summary>
    Udp,

    /// <summary>A unix stream socket (unix(7)).</summary>
    Unix,

    /// <summary>A unix datagram socket (unix(7)).</summary>
    UnixDatagram,

    /// <summary>Whatever the socket carries that this process was passed.</summary>
    Passed,
}
