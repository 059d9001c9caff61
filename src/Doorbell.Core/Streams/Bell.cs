namespace Doorbell;

/// <summary>Brings a parked or waiting connection back to its lane, which then calls <see cref="StreamHandler.OnRing"/>.</summary>
/// <remarks>
/// Any thread may ring, at any time, also after the connection has closed (then nothing happens). Rings are not counted:
/// several before the lane comes round are one. A ring never runs the handler on the ringer's thread.
/// </remarks>
public abstract class Bell
{
    /// <summary>Asks the lane to call <see cref="StreamHandler.OnRing"/> soon. Returns at once.</summary>
    public abstract void Ring();
}
