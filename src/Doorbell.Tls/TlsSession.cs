using System.Diagnostics.CodeAnalysis;
using System.Net.Security;

namespace Doorbell.Tls;

/// <summary>
/// One side of a TLS connection as four calls over spans, one whole record at a time: the shape of .NET 11's TlsBufferSession, which could
/// take its place. Here an SslStream over a <see cref="FedStream"/> does the work, on the calling thread alone.
/// </summary>
/// <remarks>A read of no bytes always waits at the SslStream, so an idle connection holds no buffer.</remarks>
[SuppressMessage("Reliability", "CA2012", Justification = "Each result is taken once, when it is there.")]
internal sealed unsafe class TlsSession : IDisposable
{
    private readonly FedStream _fed = new();
    private readonly SpanMemory _memory = new();
    private Task? _handshake;
    private ValueTask<int> _waiting;

    public TlsSession() => Stream = new TlsStream(_fed);

    /// <summary>What is asked for the session's facts.</summary>
    public TlsStream Stream { get; }

    /// <summary>Whether the handshake is done.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Begins the handshake.</summary>
    /// <param name="authenticate">As the client or as the server.</param>
    /// <param name="wire">Where a client's first message is written.</param>
    public void Begin(Func<SslStream, Task> authenticate, OutputBuffer wire)
    {
        SynchronizationContext? context = Enter(wire);
        try
        {
            _handshake = authenticate(Stream);
            Complete();
        }
        finally
        {
            Leave(context);
        }
    }

    /// <summary>Takes a record of the handshake.</summary>
    /// <param name="record">A whole one.</param>
    /// <param name="wire">Where the answer is written, which is an alert if this throws.</param>
    /// <exception cref="Exception">The handshake has failed.</exception>
    public void Handshake(ReadOnlySpan<byte> record, OutputBuffer wire)
    {
        SynchronizationContext? context = Enter(wire);
        try
        {
            _fed.Feed(record);
            Complete();
        }
        finally
        {
            Leave(context);
        }
    }

    /// <summary>Takes a record.</summary>
    /// <param name="record">A whole one.</param>
    /// <param name="plain">Room for <see cref="TlsRecord.MaxPlainBytes"/>.</param>
    /// <param name="wire">Where an answer to the peer's TLS is written.</param>
    /// <returns>How many plain bytes were in it; -1 if it was the peer's close_notify.</returns>
    /// <exception cref="Exception">The record is not what a peer may send.</exception>
    public int Read(ReadOnlySpan<byte> record, Span<byte> plain, OutputBuffer wire)
    {
        SynchronizationContext? context = Enter(wire);
        try
        {
            _fed.Feed(record);
            if (!_waiting.IsCompleted)
            {
                return 0;
            }

            _ = _waiting.Result;
            fixed (byte* start = plain)
            {
                ValueTask<int> read = Stream.ReadAsync(_memory.Set(start, plain.Length));
                int count = Result(read);
                _memory.Clear();
                if (count == 0)
                {
                    return -1;
                }

                _waiting = Stream.ReadAsync(Memory<byte>.Empty);
                return count;
            }
        }
        finally
        {
            Leave(context);
        }
    }

    /// <summary>Writes plain bytes as records.</summary>
    public void Write(ReadOnlySpan<byte> plain, OutputBuffer wire)
    {
        SynchronizationContext? context = Enter(wire);
        try
        {
            fixed (byte* start = plain)
            {
                ValueTask written = Stream.WriteAsync(_memory.Set(start, plain.Length));
                RequireOver(written.IsCompleted);
                written.GetAwaiter().GetResult();
                _memory.Clear();
            }
        }
        finally
        {
            Leave(context);
        }
    }

    /// <summary>Writes the close_notify.</summary>
    public void Shutdown(OutputBuffer wire)
    {
        SynchronizationContext? context = Enter(wire);
        try
        {
            Task shut = Stream.ShutdownAsync();
            RequireOver(shut.IsCompleted);
            shut.GetAwaiter().GetResult();
        }
        finally
        {
            Leave(context);
        }
    }

    public void Dispose() => Stream.Dispose();

    /// <summary>Looks whether the handshake is over.</summary>
    private void Complete()
    {
        if (_handshake is { IsCompleted: true } over)
        {
            _handshake = null;
            over.GetAwaiter().GetResult();
            IsOpen = true;
            _waiting = Stream.ReadAsync(Memory<byte>.Empty);
        }
    }

    private static int Result(ValueTask<int> read)
    {
        RequireOver(read.IsCompleted);
        return read.Result;
    }

    private static void RequireOver(bool isOver)
    {
        if (!isOver)
        {
            throw new InvalidOperationException("TLS waits where it has all that it needs.");
        }
    }

    /// <summary>A synchronization context would take the continuations away from this thread.</summary>
    private SynchronizationContext? Enter(OutputBuffer wire)
    {
        _fed.Enter(wire);
        SynchronizationContext? context = SynchronizationContext.Current;
        if (context is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }

        return context;
    }

    private void Leave(SynchronizationContext? context)
    {
        _fed.Leave();
        if (context is not null)
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
