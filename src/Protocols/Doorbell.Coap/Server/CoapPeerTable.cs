using System.Runtime.InteropServices;

namespace Doorbell.Coap.Server;

/// <summary>
/// Entries of peers, oldest first, at most <paramref name="capacity"/>. Without room the oldest entry goes of a host with many, so that a
/// host can't push out what is kept for others. If no host has more than another, the oldest entry of all goes.
/// </summary>
/// <remarks>The places and what is in them are used again: at rest in a full table nothing is allocated.</remarks>
internal sealed class CoapPeerTable<TKey, TValue>(int capacity)
    where TKey : struct, IEquatable<TKey>
{
    private const int FirstPlaces = 64;
    private const int None = -1;

    private readonly Dictionary<TKey, int> _places = [];
    private readonly Dictionary<CoapPeerHost, HostEntries> _hosts = [];
    private Entry[] _entries = [];

    /// <summary>
    /// The host with most entries, as of the last time that one of a host's entries came: while the table is full that is exact enough.
    /// </summary>
    private CoapPeerHost _largest;
    private int _oldest = None;
    private int _newest = None;
    private int _free = None;
    private int _used;

    public int Count => _places.Count;

    public bool IsFull => Count >= capacity;

    /// <summary>The oldest entry, of a table that has one.</summary>
    public ref TValue Oldest => ref _entries[_oldest].Value;

    public bool TryFind(TKey key, out int place) => _places.TryGetValue(key, out place);

    public ref TValue At(int place) => ref _entries[place].Value;

    /// <summary>Adds the newest entry, in a table that is not full. Its value is what was at its place before.</summary>
    public int Add(CoapPeerHost host, TKey key)
    {
        int place = TakePlace();
        ref Entry entry = ref _entries[place];
        (entry.Key, entry.Host, entry.Newer, entry.Older, entry.NewerOfHost) = (key, host, None, _newest, None);
        _places.Add(key, place);
        (_newest == None ? ref _oldest : ref _entries[_newest].Newer) = place;
        _newest = place;

        ref HostEntries own = ref CollectionsMarshal.GetValueRefOrAddDefault(_hosts, host, out bool isKnown);
        (isKnown ? ref _entries[own.Newest].NewerOfHost : ref own.Oldest) = place;
        own.Newest = place;
        own.Count++;
        if (own.Count > CountOf(_largest))
        {
            _largest = host;
        }

        return place;
    }

    /// <summary>Makes room for a newcomer of a host.</summary>
    /// <returns>What was in the entry that went.</returns>
    public TValue EvictFor(CoapPeerHost newcomer)
    {
        CoapPeerHost host = _entries[_oldest].Host;
        host = CountOf(_largest) > CountOf(host) ? _largest : host;
        host = CountOf(newcomer) > CountOf(host) ? newcomer : host;
        return Remove(_hosts[host].Oldest);
    }

    public void RemoveOldest() => Remove(_oldest);

    /// <summary>Gives the memory of an empty table back.</summary>
    public void TrimIfEmpty()
    {
        if (Count == 0 && _entries.Length > FirstPlaces)
        {
            _entries = [];
            (_free, _used) = (None, 0);
        }
    }

    private int CountOf(CoapPeerHost host) => _hosts.TryGetValue(host, out HostEntries own) ? own.Count : 0;

    /// <param name="place">Of the oldest entry of its host.</param>
    private TValue Remove(int place)
    {
        ref Entry entry = ref _entries[place];
        _places.Remove(entry.Key);
        (entry.Older == None ? ref _oldest : ref _entries[entry.Older].Newer) = entry.Newer;
        (entry.Newer == None ? ref _newest : ref _entries[entry.Newer].Older) = entry.Older;

        ref HostEntries own = ref CollectionsMarshal.GetValueRefOrNullRef(_hosts, entry.Host);
        own.Oldest = entry.NewerOfHost;
        if (--own.Count == 0)
        {
            _hosts.Remove(entry.Host);
        }

        entry.Newer = _free;
        _free = place;
        return entry.Value;
    }

    private int TakePlace()
    {
        if (_free != None)
        {
            int place = _free;
            _free = _entries[place].Newer;
            return place;
        }

        if (_used == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Min(Math.Max(_entries.Length * 2, FirstPlaces), capacity));
        }

        return _used++;
    }

    private struct Entry
    {
        public TKey Key;
        public CoapPeerHost Host;
        public TValue Value;

        /// <summary>The next newer entry; of a free place the next free one.</summary>
        public int Newer;
        public int Older;
        public int NewerOfHost;
    }

    private struct HostEntries
    {
        public int Oldest;
        public int Newest;
        public int Count;
    }
}
