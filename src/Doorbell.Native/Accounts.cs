using System.Globalization;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>The users and groups that the system knows, by whatever way it is set up to (getpwnam(3), getgrnam(3)). Linux.</summary>
internal static unsafe partial class Accounts
{
    /// <summary>struct passwd: name, password, then the user's number; struct group is alike.</summary>
    private const int NumberAt = 2;

    /// <summary>The C library answers in memory of its own.</summary>
    private static readonly Lock _asking = new();

    /// <summary>A user's number.</summary>
    /// <param name="name">A name or a number.</param>
    /// <exception cref="ArgumentException">There is no such user.</exception>
    public static int User(string name) => Find(name, "user", "passwd", &getpwnam);

    /// <summary>A group's number.</summary>
    /// <param name="name">A name or a number.</param>
    /// <exception cref="ArgumentException">There is no such group.</exception>
    public static int Group(string name) => Find(name, "group", "group", &getgrnam);

    private static int Find(string name, string kind, string table, delegate*<byte*, nint*> ask)
    {
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return number;
        }

        lock (_asking)
        {
            fixed (byte* bytes = SystemText.ToBytes(name + '\0'))
            {
                nint* entry = name.Contains('\0') ? null : ask(bytes);
                return entry is not null ? *(int*)(entry + NumberAt) : throw new ArgumentException(
                    $"there is no {kind} \"{PrintableText.Escape(name)}\" on this machine (`getent {table}` lists them)");
            }
        }
    }

    [LibraryImport("libc")]
    private static partial nint* getpwnam(byte* name);

    [LibraryImport("libc")]
    private static partial nint* getgrnam(byte* name);
}
