using Doorbell.Serving;

namespace Doorbell.Tests;

/// <summary>A connection that has been at rest for so long.</summary>
internal sealed class Resting(TimeSpan rest) : IOpenConnection
{
    public static Door Door { get; } = new(Endpoint.Parse("tcp://127.0.0.1:1"), Reach.OneAddress);

    public TimeSpan Rest { get; set; } = rest;

    public RoomOrder? RoomOrder { get; private set; }

    int IOpenConnection.ListIndex { get; set; }

    public Door At => Door;

    public RoomOrder Answer()
    {
        RoomOrder order = RoomOrder!;
        RoomOrder = null;
        return order;
    }

    public void AskToMakeRoom(RoomOrder order) => RoomOrder = order;

    public TimeSpan RestAt(TimeSpan now) => Rest;

    public ConnectionSnapshot Read(TimeSpan now) => throw new NotSupportedException();

    public long HeldBytes => 0;

    public void AskToGiveBack(long held) => throw new NotSupportedException();

    public void AskToClose(CloseMode how) => throw new NotSupportedException();
}
