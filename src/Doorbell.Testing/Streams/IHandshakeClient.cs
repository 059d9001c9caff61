namespace Doorbell.Testing;

/// <summary>Who a <see cref="Handshake"/> is made for: a scripted client, or a handler that connects.</summary>
internal interface IHandshakeClient
{
    /// <summary>It has given up: the handshake goes on no more.</summary>
    bool IsOver { get; }

    /// <summary>The server's kernel has answered.</summary>
    void Connected();

    /// <summary>Nobody listens, or nobody answered.</summary>
    void Fail(ConnectionFailure why);
}
