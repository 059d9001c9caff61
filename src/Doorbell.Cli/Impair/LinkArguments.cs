using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Doorbell.Cli.Impair;

/// <summary>How bad <c>impair</c> makes each direction.</summary>
internal sealed class LinkArguments
{
    private readonly Option<string?> _like = new("--like")
    {
        Description = $"Begin with a profile: {Profiles}; what else is given replaces its part",
        HelpName = "PROFILE",
    };

    private readonly Option<double?> _loss = Percentage("--loss", "Lose so many, each by itself");
    private readonly Option<BurstLoss?> _burstLoss = new("--burst-loss")
    {
        Description = "Lose so many, LENGTH [default: 5] in a row on average",
        HelpName = "P[,LENGTH]",
        CustomParser = ParseBurstLoss,
    };

    private readonly Option<double?> _duplicate = Percentage("--duplicate", "So many arrive twice");
    private readonly Option<double?> _reorder = Percentage("--reorder", "Hold so many back for 10 ms, so that others overtake them");
    private readonly Option<double?> _corrupt = Percentage("--corrupt", "Flip a bit in so many");
    private readonly Option<Duration?> _delay = Arguments.OptionalDuration("--delay", "How long each travels");
    private readonly Option<Duration?> _jitter = Arguments.OptionalDuration("--jitter", "By how much the delay differs, more or less");
    private readonly Option<long?> _rate = new("--rate")
    {
        Description = "Bits a second, headers counted, as in 64k or 10m; what comes faster waits in a queue of 64 KiB",
        HelpName = "BITS",
        CustomParser = ParseRate,
    };

    private readonly Option<int?> _mtu = new("--mtu")
    {
        Description = "Lose packets larger than so many bytes, headers counted",
        HelpName = "BYTES",
        CustomParser = ParseMtu,
    };

    private readonly Option<string?> _only = new("--only")
    {
        Description = "Impair one direction alone: up, to the upstream, or down",
        HelpName = "up|down",
    };

    private static string Profiles => string.Join(", ", LinkProfiles.All.Select(static profile => profile.Name));

    public void AddTo(Command command)
    {
        Option[] all = [_like, _loss, _burstLoss, _duplicate, _reorder, _corrupt, _delay, _jitter, _rate, _mtu, _only];
        foreach (Option option in all)
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">There is no such profile or direction, or a time is too long.</exception>
    public (LinkOptions Up, LinkOptions Down) Read(ParseResult parsed)
    {
        string? like = parsed.GetValue(_like);
        LinkProfile? profile = like is null ? null : LinkProfiles.Find(like)
            ?? throw new ArgumentException($"\"{PeerText.Escape(like)}\" is no profile: give one of {Profiles}");
        LinkOptions up = Apply(parsed, profile?.Up ?? LinkOptions.Perfect);
        LinkOptions down = Apply(parsed, profile?.Down ?? LinkOptions.Perfect);
        return parsed.GetValue(_only) switch
        {
            null => (up, down),
            "up" => (up, LinkOptions.Perfect),
            "down" => (LinkOptions.Perfect, down),
            var other => throw new ArgumentException($"--only takes up or down, not \"{PeerText.Escape(other)}\""),
        };
    }

    private LinkOptions Apply(ParseResult parsed, LinkOptions options) => options with
    {
        Loss = parsed.GetValue(_loss) ?? options.Loss,
        BurstLoss = parsed.GetValue(_burstLoss) ?? options.BurstLoss,
        Duplicate = parsed.GetValue(_duplicate) ?? options.Duplicate,
        Reorder = parsed.GetValue(_reorder) ?? options.Reorder,
        Corrupt = parsed.GetValue(_corrupt) ?? options.Corrupt,
        Delay = Time(parsed, _delay) ?? options.Delay,
        Jitter = Time(parsed, _jitter) ?? options.Jitter,
        BitsPerSecond = parsed.GetValue(_rate) ?? options.BitsPerSecond,
        Mtu = parsed.GetValue(_mtu) ?? options.Mtu,
    };

    private static TimeSpan? Time(ParseResult parsed, Option<Duration?> option) => parsed.GetValue(option)?.Time is not { } time ? null
        : time <= TimeSpan.FromHours(1) ? time
        : throw new ArgumentException($"{option.Name} takes a time of at most an hour");

    private static Option<double?> Percentage(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "P",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (TryPercentage(text, out double part))
            {
                return part;
            }

            result.AddError($"{name} takes a percentage from 0% to 100%, as in 10%, not \"{PeerText.Escape(text)}\"");
            return null;
        },
    };

    private static bool TryPercentage(string text, out double part)
    {
        part = 0;
        bool isNumber = text is [.. var number, '%']
            && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out part);
        part /= 100;

        // A number may also be -Infinity or NaN.
        return isNumber && part is >= 0 and <= 1;
    }

    private static BurstLoss? ParseBurstLoss(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string[] parts = text.Split(',');
        double length = 5;
        if (parts.Length <= 2 && TryPercentage(parts[0], out double loss) && (parts.Length == 1
            || double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out length)))
        {
            try
            {
                return BurstLoss.Of(loss, length);
            }
            catch (ArgumentOutOfRangeException)
            {
                // Told below, in the option's own words.
            }
        }

        result.AddError("--burst-loss takes a percentage below 100% and perhaps a length of at least 1 and at least P / (100% - P), "
            + $"as in 5%,8, not \"{PeerText.Escape(text)}\"");
        return null;
    }

    private static long? ParseRate(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        (string number, long unit) = text switch
        {
            [.. var k, 'k'] => (k, 1_000L),
            [.. var m, 'm'] => (m, 1_000_000L),
            [.. var g, 'g'] => (g, 1_000_000_000L),
            _ => (text, 1L),
        };
        const long Most = 1_000_000_000_000;
        if (long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value > 0 && value <= Most / unit)
        {
            return value * unit;
        }

        result.AddError($"--rate takes bits a second from 1 to 1000g, as in 64k or 10m, not \"{PeerText.Escape(text)}\"");
        return null;
    }

    private static int? ParseMtu(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) && bytes is >= 68 and <= 65_535)
        {
            return bytes;
        }

        result.AddError($"--mtu takes a number from 68 to 65535, not \"{PeerText.Escape(text)}\"");
        return null;
    }
}
