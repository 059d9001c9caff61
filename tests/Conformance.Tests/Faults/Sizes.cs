using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// A service whose every answer a client can check byte by byte, and that client: asked "7 300000" it answers 300,000 letters that
/// begin at the seventh, and a line's end.
/// </summary>
internal static class Sizes
{
    public static Service Service { get; } = Service.Lines("sizes", static (line, answer) => Answer(line, answer));

    public static void Answer(ReadOnlySpan<byte> line, IBufferWriter<byte> answer)
    {
        string[] numbers = Encoding.ASCII.GetString(line).Split(' ');
        Write(int.Parse(numbers[0], CultureInfo.InvariantCulture), answer.GetSpan(Size(numbers))[..Size(numbers)]);
        answer.Advance(Size(numbers));
    }

    /// <summary>Asks as <paramref name="random"/> has it, checks every answer, and ends in order.</summary>
    /// <returns>False if the connection broke; what had come till then was right.</returns>
    public static bool TryVisit(Running server, Random random)
    {
        using Peer peer = server.Connect();
        try
        {
            (int Start, int Size)[] questions = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => Question(random))];
            Ask(peer, questions, random);
            peer.HalfClose();
            foreach ((int start, int size) in questions)
            {
                if (!TryExpect(peer, start, size, server.Endpoint.IsUnix))
                {
                    return false;
                }
            }

            return TryExpectEnd(peer);
        }
        catch (SocketException broken) when (IsReset(broken))
        {
            return false;
        }
    }

    /// <summary>The peer is gone; a time-out is something else.</summary>
    public static bool IsReset(SocketException broken) => broken.SocketErrorCode
        is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted or SocketError.NotConnected;

    public static (int Start, int Size) Question(Random random) =>
        (random.Next(26), random.Next(6) == 0 ? random.Next(100_000, 300_000) : random.Next(1, 200));

    public static string Line((int Start, int Size) question) =>
        string.Create(CultureInfo.InvariantCulture, $"{question.Start} {question.Size}\n");

    /// <summary>Receives one answer, which has to be right.</summary>
    /// <returns>False where a unix connection ended before it was whole: there is no reset to tell of a broken one.</returns>
    public static bool TryExpect(Peer peer, int start, int size, bool mayEnd = false)
    {
        byte[] expected = new byte[size + 1];
        Write(start, expected.AsSpan(0, size));
        expected[size] = (byte)'\n';
        byte[] received = new byte[size + 1];
        for (int count = 0; count < received.Length;)
        {
            int more = peer.Socket.Receive(received.AsSpan(count));
            Assert.True(more > 0 || mayEnd, $"the connection ended in order after {count} of {received.Length} bytes");
            Assert.True(expected.AsSpan(count, more).SequenceEqual(received.AsSpan(count, more)), $"a wrong answer of {size} bytes");
            count += more;
            if (more == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The answer has begun.</summary>
    public static bool TryExpectSome(Peer peer) => peer.Socket.Receive(new byte[1]) == 1;

    private static bool TryExpectEnd(Peer peer)
    {
        Assert.Equal(0, peer.Socket.Receive(new byte[1]));
        return true;
    }

    /// <summary>All at once or in pieces.</summary>
    private static void Ask(Peer peer, (int Start, int Size)[] questions, Random random)
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(questions.Select(Line)));
        for (int sent = 0, piece; sent < text.Length; sent += piece)
        {
            piece = random.Next(2) == 0 ? text.Length - sent : Math.Min(random.Next(1, 6), text.Length - sent);
            peer.Send(text.AsSpan(sent, piece));
        }
    }

    private static int Size(string[] numbers) => int.Parse(numbers[1], CultureInfo.InvariantCulture);

    private static void Write(int start, Span<byte> letters)
    {
        for (int i = 0; i < letters.Length; i++)
        {
            letters[i] = (byte)('a' + ((start + i) % 26));
        }
    }
}
