using System.Buffers;
using System.Text;

namespace Doorbell.Lab.Impair.Control;

/// <summary>Serves a <see cref="FaultControl"/> on a unix socket that its owner alone may use: a line in, a line out.</summary>
public static class ControlSocket
{
    private const int MaxConnections = 16;
    private const int MaxLine = 4096;

    /// <summary>Begins to serve.</summary>
    /// <param name="endpoint">A unix socket. Its file's mode is 0600 from the beginning.</param>
    /// <param name="control">Answers the lines.</param>
    /// <param name="stop">Ends the start.</param>
    /// <returns>The server, listening. Its owner disposes it.</returns>
    /// <exception cref="ArgumentException">It is no unix socket's endpoint.</exception>
    /// <exception cref="NetworkException">It can't be had.</exception>
    public static async Task<Server> ServeAsync(Endpoint endpoint, FaultControl control, CancellationToken stop)
    {
        if (endpoint.Transport != Transport.Unix)
        {
            throw new ArgumentException($"ControlSocket takes a unix socket, as in unix:///tmp/impair.sock, not {endpoint}");
        }

        Service lines = Service.Lines("impair control", (line, answer) =>
        {
            // Nobody is told what is not text; the settings' names and values are.
            string said = control.Answer(Encoding.UTF8.GetString(line));
            answer.Write(Encoding.UTF8.GetBytes(said));
        });
        return await Server.StartAsync(
            new ServerOptions
            {
                Service = lines with { StreamLimits = lines.StreamLimits with { MaxMessageBytes = MaxLine } },
                Endpoints = [endpoint],
                Model = ServerModel.Async,
                MaxConnections = MaxConnections,
                HasPrivateSockets = true,
            },
            stop);
    }
}
