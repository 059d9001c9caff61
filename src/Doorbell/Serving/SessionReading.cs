using Doorbell.Sessions;

namespace Doorbell.Serving;

/// <summary>What a session is at, as <see cref="Server.Connections"/> tells it.</summary>
internal static class SessionReading
{
    /// <param name="connection">The session's.</param>
    /// <param name="session">Any thread may read it.</param>
    /// <param name="now">On the monotonic scale.</param>
    public static ConnectionSnapshot Of(ConnectionInfo connection, StreamSession session, TimeSpan now) => new()
    {
        Id = connection.Id,
        Door = connection.Door,
        Peer = connection.Peer,
        Local = connection.Local,
        Age = Since(session.OpenedAt, now),
        Idle = Since(session.LastActivity, now),
        State = session.State,
        BytesReceived = session.BytesReceived,
        BytesSent = session.BytesSent,
    };

    /// <summary>A session that is just being opened has no times yet.</summary>
    private static TimeSpan Since(TimeSpan time, TimeSpan now) => time == TimeSpan.Zero || time > now ? TimeSpan.Zero : now - time;
}
