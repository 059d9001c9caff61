using System.Text;

namespace Doorbell.Native;

/// <summary>
/// The environment that this process was started with, as bytes. The runtime's copy is text, in which a byte that isn't UTF-8 is lost.
/// </summary>
internal static class InitialEnvironment
{
    /// <summary>What execve(2) gave this process; none if that can't be read.</summary>
    public static IEnumerable<(string Name, byte[] Entry, string Shown, string Value)> Read()
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes("/proc/self/environ");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        for (int start = 0, end; start < bytes.Length; start = end + 1)
        {
            end = Array.IndexOf(bytes, (byte)0, start);
            end = end < 0 ? bytes.Length : end;
            int equals = Array.IndexOf(bytes, (byte)'=', start, end - start);
            if (equals > start)
            {
                ReadOnlySpan<byte> name = bytes.AsSpan(start..equals);
                string value = Encoding.UTF8.GetString(bytes.AsSpan((equals + 1)..end));
                yield return (SystemText.FromBytes(name), bytes[start..end], Encoding.UTF8.GetString(name), value);
            }
        }
    }

    /// <summary>
    /// A variable's value, with the bytes that aren't UTF-8 (<see cref="SystemText"/>); null if there is none. Where the system does not
    /// tell, it is what the runtime has.
    /// </summary>
    public static string? ValueOf(string name)
    {
        byte[]? found = Read().FirstOrDefault(variable => variable.Name == name).Entry;
        return found is null ? Environment.GetEnvironmentVariable(name) : SystemText.FromBytes(found.AsSpan(name.Length + 1));
    }
}
