namespace Doorbell.Lab.Load;

/// <summary>A place for a connection, and for the next one if that ends: where the connection tells what becomes of it.</summary>
/// <param name="asker">Its number.</param>
internal abstract class LoadPlace(int asker)
{
    public int Asker => asker;

    /// <summary>How many questions its connections have taken.</summary>
    public long Numbers { get; set; }

    /// <summary>The connection is open.</summary>
    public abstract void Opened(bool hasRoom);

    /// <summary>The connection has room for a question.</summary>
    public abstract void Freed();

    /// <summary>The connection has had its one question answered, and is closing: the place is free.</summary>
    public abstract void Done();

    /// <summary>A connection is closed, or could not be opened.</summary>
    public abstract void Closed(bool wasOpen);

    /// <summary>The connection has ended though it was not done.</summary>
    /// <param name="lost">How many requests fail with it.</param>
    /// <param name="notConnected">Why it could not be connected; null if it was.</param>
    /// <param name="kind">How it ended.</param>
    public abstract void Broken(int lost, string? notConnected, string kind);
}
