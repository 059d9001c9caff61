using Doorbell.Tls;

namespace Doorbell.Cli.Arguments;

/// <summary>The TLS of a verb's endpoints, and the files that say what it is: one that changes is read again.</summary>
/// <remarks>Connections that are open keep what they have.</remarks>
internal sealed class ServedTls
{
    private static readonly TimeSpan _looksEvery = TimeSpan.FromSeconds(2);

    private readonly IReadOnlyList<string> _files;
    private readonly Func<TlsServerOptions> _read;
    private string _seen;

    /// <param name="files">All files that are read.</param>
    /// <param name="read">Reads them.</param>
    /// <exception cref="ArgumentException">A file can't be used.</exception>
    public ServedTls(IReadOnlyList<string> files, Func<TlsServerOptions> read)
    {
        (_files, _read) = (files, read);
        _seen = Look();
        Server = new TlsServer(read());
    }

    public TlsServer Server { get; }

    /// <summary>The certificate that was made for trying out; null if there is none.</summary>
    public TlsCertificate? SelfSigned { get; init; }

    /// <summary>Looks every two seconds whether a file has changed, and reads them again.</summary>
    /// <param name="say">Told in one line what became of it.</param>
    /// <param name="over">Ends it.</param>
    public async Task WatchAsync(Action<string> say, CancellationToken over)
    {
        using PeriodicTimer timer = new(_looksEvery);
        try
        {
            while (_files.Count > 0 && await timer.WaitForNextTickAsync(over))
            {
                Reload(say);
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }

    private void Reload(Action<string> say)
    {
        string now = Look();
        if (now == _seen)
        {
            return;
        }

        _seen = now;
        try
        {
            Server.Options = _read();
            say($"TLS: certificates read again; new connections get {Server.Options.Certificates[0].Subject}, "
                + $"sha256:{Server.Options.Certificates[0].Fingerprint}");
        }
        catch (ArgumentException wrong)
        {
            // Perhaps it is half written: another look follows when it changes again.
            say($"TLS: the certificates of before stay in use: {wrong.Message}");
        }
    }

    /// <summary>What tells a changed file from the one of before.</summary>
    private string Look() => string.Join('\n', _files.Select(static file =>
    {
        FileInfo info = new(file);
        return info.Exists ? $"{info.LastWriteTimeUtc.Ticks} {info.Length} {info.LinkTarget}" : "";
    }));
}
