namespace Doorbell.Cli.Ends;

/// <summary>One side of a relay as it was written: what it is called, and how it is opened.</summary>
/// <param name="name">Fit to print.</param>
internal abstract class EndTarget(string name)
{
    /// <summary>Fit to print, and to write again.</summary>
    public string Name => name;

    /// <summary>Whether it can be open only once at a time.</summary>
    public virtual bool IsOne => false;

    /// <summary>Opens it.</summary>
    /// <param name="opening">How long that may take, and what else the command line says.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NetworkException">It can't be opened; the message says why and what to do.</exception>
    public abstract Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation);

    /// <exception cref="PlatformNotSupportedException">It is another system than Linux.</exception>
    protected void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException($"{Name} takes Linux: other systems have tcp:// and udp:// as ends of a relay");
        }
    }
}
