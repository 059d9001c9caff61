using Doorbell.Lanes;
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

    private readonly EventLoop _loop;
    private readonly Dictionary<int, (ErrorPipe Errors, SpawnActions Actions)> _streams = [];

    /// <param name="loop">
    /// Hears the pipes. A pipe is drained whether its socket is open or closed: what left the last program's group may have something to
    /// say.
    /// </param>
    public StandardStreams(EventLoop loop) => _loop = loop;

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
        errno = errno == 0 ? Watch(errors!) : errno;
        if (errno != 0)
        {
            errors?.Close();
            actions?.Dispose();
            return errno;
        }

        _streams[socket] = (errors!, actions!);
        return 0;
    }

    /// <summary>The program has ended: logs the rest.</summary>
    public void Leave(int socket)
    {
        (ErrorPipe errors, SpawnActions actions) = _streams[socket];
        errors.Finish();
        if (socket >= MaxKept)
        {
            Close(errors, actions);
            _streams.Remove(socket);
        }
    }

    public void Dispose()
    {
        foreach ((ErrorPipe errors, SpawnActions actions) in _streams.Values)
        {
            Close(errors, actions);
        }
    }

    private int Watch(ErrorPipe errors) => _loop.TryWatch(errors.Descriptor, Epoll.In, (_, _) => errors.Drain());

    private void Close(ErrorPipe errors, SpawnActions actions)
    {
        _loop.Forget(errors.Descriptor);
        errors.Close();
        actions.Dispose();
    }
}
