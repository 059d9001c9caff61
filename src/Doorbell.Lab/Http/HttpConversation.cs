using System.Buffers;
using System.IO.Pipelines;

namespace Doorbell.Lab.Http;

/// <summary>The requests of one connection, answered one after the other.</summary>
internal static class HttpConversation
{
    /// <summary>Answers until the peer ends, or a request is none.</summary>
    /// <param name="connection">The connection, which closes when the task ends.</param>
    /// <param name="answer">Carries a request out.</param>
    /// <param name="refuse">Words a refusal.</param>
    public static async Task ServeAsync(
        PipeConnection connection, Func<HttpRequest, Task<HttpAnswer>> answer, Func<HttpException, HttpAnswer> refuse)
    {
        bool staysOpen = true;
        bool isContinued = false;
        while (staysOpen)
        {
            ReadResult read = await connection.Input.ReadAsync(connection.Closed).ConfigureAwait(false);
            HttpAnswer? answered = null;
            try
            {
                byte[] input = read.Buffer.ToArray();
                if (HttpRequest.Read(input, out int consumed) is { } request)
                {
                    connection.Input.AdvanceTo(read.Buffer.GetPosition(consumed));
                    staysOpen = request.StaysOpen;
                    isContinued = false;
                    answered = await answer(request).ConfigureAwait(false);
                }
                else
                {
                    connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    if (read.IsCompleted)
                    {
                        return;
                    }

                    if (!isContinued && HttpRequest.AwaitsContinue(input))
                    {
                        isContinued = true;
                        connection.Output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
                        await connection.Output.FlushAsync(connection.Closed).ConfigureAwait(false);
                    }
                }
            }
            catch (HttpException refused)
            {
                staysOpen = false;
                answered = refuse(refused);
            }

            if (answered is not null)
            {
                answered.Write(connection.Output, staysOpen);
                connection.CountRequests(1);
                await connection.Output.FlushAsync(connection.Closed).ConfigureAwait(false);
            }
        }
    }
}
