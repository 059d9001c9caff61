using System.Net.Sockets;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>
/// The proxy's clients, at most so many: for one more, the one that was idle for longest goes. One that is idle for
/// <see cref="IdleTimeout"/>, and for whom nothing waits, goes too.
/// </summary>
/// <param name="most">At most so many.</param>
/// <param name="forgotten">Told of each that goes, before its socket is closed.</param>
internal sealed class ClientTable(int most, Action<ImpairedClient> forgotten) : IDisposable
{
    public const int DefaultMost = 1024;

    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(Socket Door, PeerAddress Address), LinkedListNode<ImpairedClient>> _byAddress = [];
    private readonly Dictionary<int, LinkedListNode<ImpairedClient>> _byToken = [];

    /// <summary>The one idle for longest first.</summary>
    private readonly LinkedList<ImpairedClient> _byUse = new();

    /// <summary>Clients there were.</summary>
    public long Seen { get; private set; }

    /// <summary>Clients that went since there were too many.</summary>
    public long Evicted { get; private set; }

    public ImpairedClient? Find(Socket door, PeerAddress address) => _byAddress.GetValueOrDefault((door, address))?.Value;

    public ImpairedClient? Find(int token) => _byToken.GetValueOrDefault(token)?.Value;

    /// <summary>When <see cref="Tick"/> has something to do at the earliest.</summary>
    public TimeSpan NextTick => _byUse.First is { } oldest ? oldest.Value.LastUsed + IdleTimeout : TimeSpan.MaxValue;

    /// <summary>Their sockets, for the end.</summary>
    public IEnumerable<ImpairedClient> All => _byUse;

    /// <summary>Makes room for one more; before its socket is made, so that there is never one too many.</summary>
    public void MakeRoom()
    {
        if (_byUse.Count >= most)
        {
            Evicted++;
            Remove(_byUse.First!.Value);
        }
    }

    public void Add(ImpairedClient client, TimeSpan now)
    {
        client.LastUsed = now;
        LinkedListNode<ImpairedClient> node = _byUse.AddLast(client);
        _byAddress.Add((client.Door, client.Address), node);
        _byToken.Add(client.Token, node);
        Seen++;
    }

    public void Use(ImpairedClient client, TimeSpan now)
    {
        client.LastUsed = now;
        LinkedListNode<ImpairedClient> node = _byToken[client.Token];
        _byUse.Remove(node);
        _byUse.AddLast(node);
    }

    /// <summary>Forgets who is idle for too long.</summary>
    public void Tick(TimeSpan now)
    {
        while (_byUse.First?.Value is { } oldest && now - oldest.LastUsed >= IdleTimeout)
        {
            if (oldest.Waiting > 0)
            {
                Use(oldest, now);
            }
            else
            {
                Remove(oldest);
            }
        }
    }

    public void Dispose()
    {
        foreach (ImpairedClient client in _byUse)
        {
            client.Forget();
        }
    }

    private void Remove(ImpairedClient client)
    {
        _byUse.Remove(client);
        _byAddress.Remove((client.Door, client.Address));
        _byToken.Remove(client.Token);
        forgotten(client);
        client.Forget();
    }
}
