namespace Doorbell.Tests;

/// <summary>The calls that faults are injected into.</summary>
internal enum SystemCall
{
    Accept,
    Receive,
    Send,
    Shutdown,

    /// <summary>recvmmsg(2), whose length is a number of messages; recvfrom(2).</summary>
    ReceiveDatagrams,

    /// <summary>sendmmsg(2), whose length is a number of messages; sendto(2).</summary>
    SendDatagrams,

    /// <summary>epoll_ctl(2).</summary>
    Watch,

    /// <summary>epoll_wait(2), or io_uring_enter(2).</summary>
    Wait,
}
