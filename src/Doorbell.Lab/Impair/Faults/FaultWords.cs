using Doorbell.Links;

namespace Doorbell.Lab.Impair.Faults;

/// <summary>Settings as words: the options of the command line and the lines of the control socket and the keyboard alike.</summary>
/// <param name="streams">Whether streams are carried; otherwise datagrams are.</param>
/// <param name="prefix">What stands before a setting's name where the words come from, to name it so.</param>
public sealed class FaultWords(bool streams, string prefix)
{
    /// <summary>The word before a profile's name.</summary>
    public const string Like = "like";
    /// <summary>The word before the one direction that is impaired.</summary>
    public const string Only = "only";
    /// <summary>The value that ends a fault.</summary>
    public const string Off = "off";

    /// <summary>The profiles' names.</summary>
    public static string Profiles => string.Join(", ", ProfileNames);

    private static string[] ProfileNames => [.. LinkProfiles.All.Select(static profile => profile.Name)];

    /// <summary>The settings there are for what is carried, by name.</summary>
    public string Names => string.Join(", ", FaultSettings.All.Where(Fits).Select(setting => prefix + setting.Name));

    /// <summary>A profile first, then settings, then one direction alone, in whatever order they are given.</summary>
    /// <exception cref="ArgumentException">A word makes no sense; nothing is changed.</exception>
    public BothFaults Apply(BothFaults faults, IReadOnlyList<(string Name, string Value)> words)
    {
        foreach ((string name, string value) in words.OrderBy(static word => word.Name switch { Like => 0, Only => 2, _ => 1 }))
        {
            faults = name switch
            {
                Like => ApplyProfile(faults, value),
                Only => ApplyOnly(faults, value),
                _ => ApplySetting(faults, Find(name), value),
            };
        }

        return faults;
    }

    /// <summary>Names and values that alternate, as in <c>loss 10% delay 20ms/5ms</c>.</summary>
    /// <exception cref="ArgumentException">There is a name without a value.</exception>
    public IReadOnlyList<(string Name, string Value)> Split(string line)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length % 2 == 0
            ? [.. words.Chunk(2).Select(static pair => (pair[0], pair[1]))]
            : throw new ArgumentException($"\"{PrintableText.Escape(words[^1])}\" stands alone: give names and values, as in {Example}");
    }

    /// <summary>What is not off, as words that set it.</summary>
    public string Show(BothFaults faults)
    {
        IEnumerable<string> set = FaultSettings.All
            .Where(setting => Fits(setting) && !(setting.IsOff(faults.Up) && setting.IsOff(faults.Down)))
            .Select(setting => (setting.Name, Up: ShowOne(setting, faults.Up), Down: ShowOne(setting, faults.Down)))
            .Select(static shown => $"{shown.Name} {(shown.Up == shown.Down ? shown.Up : $"{shown.Up}/{shown.Down}")}");
        string all = string.Join(' ', set);
        return all.Length == 0 ? "nothing is impaired" : all;
    }

    /// <summary>A line that sets something.</summary>
    public string Example => streams ? "delay 20ms slice 10" : "loss 10% delay 20ms";

    private static string ShowOne(FaultSetting setting, WayFaults faults) => setting.IsOff(faults) ? Off : setting.Show(faults);

    private bool Fits(FaultSetting setting) => streams ? setting.OfStreams : setting.OfDatagrams;

    private FaultSetting Find(string name)
    {
        FaultSetting setting = FaultSettings.Find(name)
            ?? throw new ArgumentException(
                $"\"{PrintableText.Escape(name)}\" is no setting: there are {Names}, {prefix}{Like}, {prefix}{Only}");
        return Fits(setting)
            ? setting
            : throw new ArgumentException(streams
                ? $"{prefix}{name} is for datagrams, udp:// alone; tcp:// and unix:// have {Names}"
                : $"{prefix}{name} is for streams, tcp:// and unix:// alone; udp:// has {Names}");
    }

    private static BothFaults ApplyProfile(BothFaults faults, string name)
    {
        LinkProfile profile = LinkProfiles.Find(name)
            ?? throw new ArgumentException(
                $"\"{PrintableText.Escape(name)}\" is no profile: {NearName.Advice(name, ProfileNames)}");
        return new BothFaults(faults.Up with { Link = profile.Up }, faults.Down with { Link = profile.Down });
    }

    private BothFaults ApplyOnly(BothFaults faults, string way) => way switch
    {
        "up" => faults with { Down = WayFaults.None },
        "down" => faults with { Up = WayFaults.None },
        _ => throw new ArgumentException($"{prefix}{Only} takes up or down, not \"{PrintableText.Escape(way)}\""),
    };

    /// <summary>One value for both ways, or <c>UP/DOWN</c>.</summary>
    private BothFaults ApplySetting(BothFaults faults, FaultSetting setting, string value)
    {
        string[] ways = value.Split('/');
        return ways.Length <= 2 && ApplyOne(faults.Up, setting, ways[0]) is { } up && ApplyOne(faults.Down, setting, ways[^1]) is { } down
            ? new BothFaults(up, down)
            : throw new ArgumentException(
                $"{prefix}{setting.Name} takes {setting.Takes}; or two of them, UP/DOWN; or off; not \"{PrintableText.Escape(value)}\"");
    }

    private static WayFaults? ApplyOne(WayFaults faults, FaultSetting setting, string value) =>
        value == Off ? setting.Copy(faults, WayFaults.None) : setting.Set(faults, value.Split(','));
}
