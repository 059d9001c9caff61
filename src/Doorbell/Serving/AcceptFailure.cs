using System.Net.Sockets;

namespace Doorbell.Serving;

/// <summary>What a failure of accept(2) means for the listener.</summary>
internal enum AcceptFailure
{
    /// <summary>That one connection is gone already: accept the next (accept(2), "Error handling").</summary>
    OfTheConnection,

    /// <summary>The system is out of descriptors or memory: wait a little, lose nothing, the backlog holds the rest.</summary>
    OfResources,

    /// <summary>The listener itself can't go on.</summary>
    OfTheListener,
}

/// <summary>Sorts the failures of accept(2).</summary>
internal static class AcceptFailures
{
    public static AcceptFailure Classify(SocketError error) => error switch
    {
        // Linux passes errors that are already pending on the new connection to accept: "treat them like EAGAIN by retrying". Of one whose
        // client has reset it, Windows says that it is not connected.
        SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.NotConnected or SocketError.ConnectionRefused
            or SocketError.NetworkDown
            or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.HostUnreachable or SocketError.ProtocolOption
            or SocketError.ProtocolNotSupported or SocketError.OperationNotSupported or SocketError.TimedOut
            or SocketError.Interrupted or SocketError.WouldBlock or SocketError.TryAgain => AcceptFailure.OfTheConnection,
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.ProcessLimit => AcceptFailure.OfResources,

        // ENFILE and ENOMEM have no name of their own in SocketError: what is unknown is taken for a shortage that passes,
        // since losing the listener is worse than trying again once in a while.
        SocketError.SocketError => AcceptFailure.OfResources,
        _ => AcceptFailure.OfTheListener,
    };
}
