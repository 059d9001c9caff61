using System.ComponentModel;
using Doorbell.Options;

namespace Doorbell;

/// <summary>By which of the kernel's calls a server works.</summary>
[TypeConverter(typeof(EngineKindConverter))]
public enum EngineKind
{
    /// <summary>
    /// The one that measures best for the model here: io_uring for <see cref="ServerModel.Loop"/> where the system has it, the portable one
    /// for <see cref="ServerModel.Async"/>, otherwise epoll.
    /// </summary>
    Auto,

    /// <summary>
    /// io_uring(7), Linux 6.1: the model <see cref="ServerModel.Loop"/>. Where the system refuses it, <see cref="Epoll"/> takes its place
    /// and <see cref="Server.EngineRefused"/> says why.
    /// </summary>
    IoUring,

    /// <summary>epoll(7), and calls that block: every model but <see cref="ServerModel.Async"/>. Linux.</summary>
    Epoll,

    /// <summary>System.Net.Sockets: the model <see cref="ServerModel.Async"/>. Everywhere.</summary>
    Portable,
}
