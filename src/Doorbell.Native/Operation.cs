namespace Doorbell.Native;

/// <summary>
/// io_uring's operations and their flags (linux/io_uring.h), and what we write into user_data: the operation and a token.
/// </summary>
internal static class Operation
{
    public const byte Nothing = 0;
    public const byte Poll = 6;
    public const byte Accept = 13;
    public const byte Cancel = 14;
    public const byte Close = 19;
    public const byte Send = 26;
    public const byte Receive = 27;

    /// <summary>Flags of a submission: IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS.</summary>
    public const byte SelectBuffer = 1 << 5;
    public const byte SkipSuccess = 1 << 6;

    /// <summary>Priorities: IORING_RECV_MULTISHOT, IORING_ACCEPT_POLL_FIRST (Linux 6.10).</summary>
    public const ushort ReceiveMultishot = 2;
    public const ushort AcceptPollsFirst = 4;

    /// <summary>IORING_ASYNC_CANCEL_ALL and IORING_ASYNC_CANCEL_FD.</summary>
    public const uint CancelAllOfDescriptor = 1 | 2;

    /// <summary>IORING_ASYNC_CANCEL_ANY: all that is under way.</summary>
    public const uint CancelAny = 4;

    private const int OperationAt = 56;

    public static ulong UserData(byte operation, int token) => ((ulong)operation << OperationAt) | (uint)token;

    public static byte Of(ulong userData) => (byte)(userData >> OperationAt);

    public static int TokenOf(ulong userData) => (int)(uint)userData;
}
