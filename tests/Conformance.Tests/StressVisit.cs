using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>What one peer does to a server that answers <see cref="Sizes"/>.</summary>
internal static class StressVisit
{
    /// <param name="server">To whom.</param>
    /// <param name="random">What it decides by.</param>
    /// <param name="mayEnd">Whether the server ends: then, and only then, a connection may break.</param>
    /// <returns>False when the server is gone.</returns>
    public static bool TryMake(Running server, Random random, Func<bool> mayEnd)
    {
        Peer peer;
        try
        {
            if (random.Next(3) == 0)
            {
                return Sizes.TryVisit(server, random) || Ends(mayEnd);
            }

            peer = server.Connect();
        }
        catch (Exception end) when (mayEnd() && end is SocketException or Xunit.Sdk.XunitException)
        {
            return false;
        }

        using (peer)
        {
            try
            {
                Make(peer, random);
            }
            catch (Exception end) when (mayEnd() && end is SocketException or Xunit.Sdk.XunitException)
            {
                // At the deadline connections are reset, on unix ended.
            }
        }

        return true;
    }

    private static bool Ends(Func<bool> mayEnd)
    {
        Assert.True(mayEnd(), "a connection broke");
        return false;
    }

    private static void Make(Peer peer, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                // Slowly, an answer at a time, and gone in the middle of the next question.
                for (int i = random.Next(20); i > 0; i--)
                {
                    AskAndCheck(peer, Sizes.Question(random));
                }

                peer.Send("1 5");
                break;
            case 1:
                // Never reads: what can't be sent is lost.
                peer.Send(string.Concat(Enumerable.Repeat("0 300000\n", random.Next(1, 5))));
                if (random.Next(2) == 0)
                {
                    peer.Reset();
                }

                break;
            case 2:
                peer.Send(Sizes.Line(Sizes.Question(random)));
                peer.Reset();
                break;
            case 3:
                // Reads the first of much and resets while the rest is being sent.
                peer.Send("5 700000\n");
                _ = peer.Socket.Receive(new byte[random.Next(1, 5000)]);
                peer.Reset();
                break;
            case 4:
                peer.HalfClose();
                Assert.Equal(0, peer.Socket.Receive(new byte[1]));
                break;
            case 5:
                // Takes it in small pieces.
                peer.Socket.ReceiveBufferSize = 16_384;
                AskAndCheck(peer, (random.Next(26), random.Next(1, 100_000)));
                peer.HalfClose();
                break;
            case 6:
                // Half a question is one at the end.
                peer.Send("3 10");
                peer.HalfClose();
                Assert.Equal("defghijklm", peer.ReceiveToEnd());
                break;
            case 7:
                // Many at once: more than the small buffers of an io_uring hold.
                int count = random.Next(1, 20_000);
                peer.Send(string.Concat(Enumerable.Repeat("2 1\n", count)));
                peer.HalfClose();
                Assert.Equal(string.Concat(Enumerable.Repeat("c\n", count)), peer.ReceiveToEnd());
                break;
        }
    }

    private static void AskAndCheck(Peer peer, (int Start, int Size) question)
    {
        peer.Send(Sizes.Line(question));
        Sizes.TryExpect(peer, question.Start, question.Size);
    }
}
