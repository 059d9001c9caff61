using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests.Compared;

/// <summary>The rows of docs/compared.md in which a server is asked much.</summary>
public sealed class LoadJobs
{
    private static readonly byte[] _response = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");

    /// <summary>Both ask again and again, on as many connections.</summary>
    [Fact]
    public void Ask_a_web_server_as_fast_as_it_answers()
    {
        Job.Here().BothDo(
            (0, 10, true),
            static (shell, command) =>
            {
                shell.Save("request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
                Socket listener = shell.Listen(7000);
                int connections = 0;
                int requests = 0;
                Task accepting = Task.Run(async () =>
                {
                    while (await listener.AcceptAsync() is { } connection)
                    {
                        _ = AnswerAsync(
                            connection,
                            () => Interlocked.Increment(ref connections),
                            () => Interlocked.Increment(ref requests));
                    }
                });
                int exitCode = shell.Run(command).ExitCode;
                return (exitCode, connections, requests > 100);
            });
    }

    [Fact]
    public void Measure_the_throughput_to_a_server()
    {
        Job.Here().BothDo(
            0,
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                bool isUsual = command.StartsWith("iperf3", StringComparison.Ordinal);
                _ = shell.Start(isUsual ? "iperf3 -s -p 7000" : "doorbell serve discard tcp://localhost:7000");
                Ports.WaitUntilServed("tcp", port);
                return shell.Run(command).ExitCode;
            });
    }

    [Fact]
    public void Measure_how_long_answers_take_at_a_rate()
    {
        Job.Here().BothDo(
            0,
            static (shell, command) =>
            {
                int port = shell.Free(7000);
                bool isUsual = command.StartsWith("sockperf", StringComparison.Ordinal);
                _ = shell.Start(isUsual ? "sockperf server -i 127.0.0.1 -p 7000 --tcp" : "doorbell serve echo tcp://localhost:7000");
                Ports.WaitUntilServed("tcp", port);
                return shell.Run(command).ExitCode;
            });
    }

    /// <summary>Answers each request of a connection, of which at least one comes.</summary>
    private static async Task AnswerAsync(Socket connection, Action connected, Action asked)
    {
        using (connection)
        {
            byte[] buffer = new byte[10_000];
            bool isNew = true;
            while (await connection.ReceiveAsync(buffer) > 0)
            {
                if (isNew)
                {
                    connected();
                }

                isNew = false;
                asked();
                await connection.SendAsync(_response);
            }
        }
    }
}
