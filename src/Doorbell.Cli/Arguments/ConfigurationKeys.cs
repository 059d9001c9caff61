namespace Doorbell.Cli.Arguments;

/// <summary>The keys that an object of a configuration file may have, each with what it sets.</summary>
/// <param name="settings">By key.</param>
internal sealed class ConfigurationKeys<T>(IReadOnlyDictionary<string, ConfigurationKeys<T>.Setting> settings)
{
    /// <summary>Sets what the members of an object say.</summary>
    /// <param name="options">What the keys that are not there leave as it is.</param>
    /// <param name="members">The members.</param>
    /// <param name="given">The options of the command line that say something too.</param>
    /// <exception cref="FormatException">A key is unknown, its value is wrong, or the command line says the same.</exception>
    public T Apply(T options, IEnumerable<ConfigurationValue> members, IReadOnlySet<string> given)
    {
        foreach (ConfigurationValue member in members)
        {
            if (!settings.TryGetValue(member.Name, out Setting? setting))
            {
                throw member.Wrong($"there is no such key: {NearName.Advice(member.Name, [.. settings.Keys])}");
            }

            if (setting.Options.FirstOrDefault(given.Contains) is { } option)
            {
                throw member.Wrong($"{option} on the command line says it too: leave out one of them");
            }

            options = setting.Set(options, member);
        }

        return options;
    }

    /// <summary>What a key sets.</summary>
    /// <param name="Set">Makes the new options.</param>
    /// <param name="Options">The command line's options that say the same.</param>
    internal sealed record Setting(Func<T, ConfigurationValue, T> Set, params string[] Options);
}
