using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// A service that sends each datagram back, and clients of it. Their datagrams come in waves: the lane is held meanwhile, so that it finds
/// a whole wave at once, single datagrams and joined ones, and answers in batches. Every answer is compared.
/// </summary>
internal sealed class HeldDatagrams : IDisposable
{
    private const int Clients = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _isHeld = new(0);
    private readonly SemaphoreSlim _goesOn = new(0);
    private readonly byte[] _answer = new byte[65_536];
    private readonly long _lostBefore = LostOnTheWay();
    private Trains[] _clients = [];
    private Queue<string>[] _asked = [];
    private int _next;

    public HeldDatagrams() => Service = new Service("held") { NewDatagramHandler = _ => new Handler(this) };

    public Service Service { get; }

    /// <summary>How many datagrams were sent that want an answer.</summary>
    public int Asked { get; private set; }

    /// <summary>How many were sent that hold the lane.</summary>
    public int Holds { get; private set; }

    /// <summary>How many answers have come, each of them right.</summary>
    public int Answered { get; private set; }

    /// <summary>
    /// How many of those asked the server can have received: all, unless the kernel has lost some on the way. It does when the machine's
    /// loopback is flooded meanwhile, whoever does that; then those count that were received.
    /// </summary>
    public long Arrived(LedgerSnapshot counts) => LostOnTheWay() == _lostBefore ? Asked : counts.DatagramsReceived - Holds;

    public void Connect(Running server)
    {
        _clients = [.. Enumerable.Range(0, Clients).Select(_ => new Trains(server))];
        _asked = [.. Enumerable.Range(0, Clients).Select(static _ => new Queue<string>())];
    }

    /// <summary>The lane is in the handler until <see cref="GoOn"/>.</summary>
    public void Hold()
    {
        _clients[0].Socket.Send("hold"u8);
        Holds++;
        Assert.True(_isHeld.Wait(_patience, TestContext.Current.CancellationToken), "a lane that goes on takes a datagram");
    }

    public void GoOn() => _goesOn.Release();

    /// <summary>Sends a wave: trains of one size, and single datagrams of all sizes.</summary>
    public void Ask(Random random)
    {
        for (int i = 0; i < 12; i++)
        {
            int client = random.Next(Clients);
            int count = random.Next(3) == 0 ? random.Next(2, 40) : 1;
            int bytes = random.Next(3) == 0 ? random.Next(8, 1200) : 32;
            string[] texts = [.. Enumerable.Range(_next, count)
                .Select(number => $"{number} ".PadRight(bytes, (char)('a' + (number % 26))))];
            _next += count;
            Asked += count;
            Array.ForEach(texts, _asked[client].Enqueue);
            _clients[client].Send(string.Concat(texts), bytes);
        }
    }

    /// <summary>Takes the answers that are there. They come in the order of the questions, so that one that comes twice is seen.</summary>
    public void TakeAnswers()
    {
        for (int i = 0; i < Clients; i++)
        {
            while (_clients[i].Socket.Poll(0, SelectMode.SelectRead))
            {
                string answer = Encoding.UTF8.GetString(_answer, 0, _clients[i].Socket.Receive(_answer));
                Answered++;
                string? asked;
                do
                {
                    Assert.True(_asked[i].TryDequeue(out asked), $"nobody asks, or nobody asks any more, for {answer}");
                }
                while (asked != answer);
            }
        }
    }

    public void Dispose()
    {
        _goesOn.Release(100);
        Array.ForEach(_clients, static client => client.Dispose());
    }

    /// <summary>Packets that found a processor's queue full (net.core.netdev_max_backlog): the second column of each processor.</summary>
    private static long LostOnTheWay() => File.ReadLines("/proc/net/softnet_stat")
        .Sum(static line => long.Parse(line.Split(' ')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private sealed class Handler(HeldDatagrams held) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            if (!datagram.Bytes.SequenceEqual("hold"u8))
            {
                turn.Reply(datagram.Bytes);
                return;
            }

            held._isHeld.Release();
            held._goesOn.Wait(_patience);
        }
    }
}
