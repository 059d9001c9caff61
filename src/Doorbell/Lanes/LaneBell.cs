namespace Doorbell.Lanes;

/// <summary>A connection's bell, by which the server too can have the lane look at the connection without ringing its handler.</summary>
internal abstract class LaneBell : Bell
{
    /// <summary>Any thread: the lane looks soon at what the connection has been asked for.</summary>
    public abstract void Wake();
}
