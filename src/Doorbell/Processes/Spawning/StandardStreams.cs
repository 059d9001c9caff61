using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// What the program of a connection has as standard input, output and error: the socket, twice, and a pipe to our log. Kept by the
/// socket's number, which the kernel gives out again (the lowest that is free), for the next program: to make a pipe, watch it and close
/// it, and to write down which descriptor becomes which, is about 3 % of what a connection costs. One thread's own.
/// </summary>
internal sealed class StandardStreams : IDisposable
{
    /// <summary>Streams of sockets from here on go with their connection, so that a peak leaves no crowd of descriptors behind.</summary>
    private const int MaxKept = 256;

    private readonly Epoll _epoll;
    private readonly Func<int, int> _tokenOf;
    private readonly Dictionary<int, (ErrorPipe Errors, SpawnActions Actions)> _streams = [];

    /// <param name="epoll">Hears the pipes.</param>
    /// <param name="tokenOf">What the events of a socket's pipe are known by.</param>
    public StandardStreams(Epoll epoll, Func<int, int> tokenOf)
    {
        _epoll = epoll;
        _tokenOf = tokenOf;
    }

    /// <summary>Those of a socket; 0, or errno.</summary>
    public int TryTake(int socket, out ErrorPipe? errors, out SpawnActions? actions)
    {
        if (_streams.TryGetValue(socket, out (ErrorPipe Errors, SpawnActions Actions) kept))
        {
            (errors, actions) = kept;
            return 0;
        }

        actions = null;
        int errno = ErrorPipe.TryMake(out errors);
        errno = errno == 0 ? SpawnActions.TryMake([(socket, 0), (socket, 1), (errors!.WriteEnd, 2)], closeFrom: 3, out actions) : errno;
        errno = errno == 0 ? _epoll.TryWatch(errors!.Descriptor, Epoll.In, _tokenOf(socket)) : errno;
        if (errno != 0)
        {
            errors?.Close();
            actions?.Dispose();
            return errno;
        }

        _streams[socket] = (errors!, actions!);
        return 0;
    }

    /// <summary>Logs what has come. Of a socket now closed too: what left the last program's group may have something to say.</summary>
    public void Drain(int socket)
    {
        if (_streams.TryGetValue(socket, out (ErrorPipe Errors, SpawnActions Actions) streams))
        {
            streams.Errors.Drain();
        }
    }

    /// <summary>The program has ended: logs the rest.</summary>
    public void Leave(int socket)
    {
        (ErrorPipe errors, SpawnActions actions) = _streams[socket];
        errors.Finish();
        if (socket >= MaxKept)
        {
            errors.Close();
            actions.Dispose();
            _streams.Remove(socket);
        }
    }

    public void Dispose()
    {
        foreach ((ErrorPipe errors, SpawnActions actions) in _streams.Values)
        {
            errors.Close();
            actions.Dispose();
        }
    }
}
