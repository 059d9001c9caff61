using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Arguments;

/// <summary>Options that more than one verb takes.</summary>
internal static class CommonOptions
{
    /// <summary>
    /// An option that is a length of time: seconds, or with a unit, as in <c>5</c>, <c>0.5</c>, <c>200ms</c>, <c>2m</c>. It may be 0.
    /// </summary>
    public static Option<Duration> Duration(string name, string description, double defaultSeconds) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        DefaultValueFactory = _ => new Duration(TimeSpan.FromSeconds(defaultSeconds)),
        CustomParser = result => Parse(name, result),
    };

    /// <summary>Socket options, as in <c>--option TCP_NODELAY=1 --option SO_RCVBUF=1m</c>.</summary>
    public static Option<string[]> SocketOptions()
    {
        Option<string[]> option = new("--option")
        {
            Description = "Set a socket option, as in TCP_NODELAY=1, SO_RCVBUF=1m or SO_LINGER=on,0; repeatable; "
                + "`doorbell options` lists them",
            HelpName = "NAME=VALUE",
            Arity = ArgumentArity.OneOrMore,
        };
        option.CompletionSources.Add(static _ => SocketOptionCatalogue.All.Where(static known => !known.IsReadOnly)
            .Select(static known => new CompletionItem($"{known.Name}=", detail: known.Description)));
        return option;
    }

    /// <summary>The option <c>--crlf</c>, by the letter that nc and ncat give it.</summary>
    public static Option<bool> CarriageReturns(string description) => new("--crlf", "-C") { Description = description };

    /// <summary>The option <c>--hex</c>.</summary>
    public static Option<bool> Hex() => new("--hex")
    {
        Description = "Dump to standard error what is sent (>) and what comes (<), as hexdump -C does",
    };

    /// <summary>How a client makes its sockets.</summary>
    /// <param name="options">What was given; null for nothing.</param>
    /// <param name="say">Told in one line where the kernel makes something else of an option.</param>
    public static ClientOptions ForClient(string[]? options, Action<string> say)
    {
        HashSet<string> said = [];
        return new ClientOptions
        {
            SocketOptions = [.. (options ?? []).Select(SocketOptionSetting.Parse)],
            SocketOptionSet = outcome =>
            {
                lock (said)
                {
                    if (outcome.Differs && said.Add(outcome.ToString()))
                    {
                        say(outcome.ToString());
                    }
                }
            },
        };
    }

    /// <summary>As <see cref="Duration"/>, but more than 0: how long something is waited for.</summary>
    public static Option<Duration> Wait(string name, string description, double defaultSeconds) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        DefaultValueFactory = _ => new Duration(TimeSpan.FromSeconds(defaultSeconds)),
        CustomParser = result => ParseWait(name, result),
    };

    /// <summary>A length of time, more than 0, that need not be given.</summary>
    public static Option<Duration?> OptionalDuration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        CustomParser = result => ParseWait(name, result),
    };

    /// <summary>The option <c>--backlog N</c>.</summary>
    public static Option<int?> Backlog() =>
        Number("--backlog", "How many connections of a listener may wait to be accepted [default: the system's maximum]", 0, int.MaxValue);

    /// <summary>A whole number that need not be given.</summary>
    /// <remarks>
    /// The bounds are the parser's part. A validator that asks for the value of an option that could not be parsed gets an exception.
    /// </remarks>
    public static Option<int?> Number(string name, string description, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max)
            {
                return number;
            }

            result.AddError($"{name} takes a whole number from {min} to {max}, not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    /// <summary>A number of bytes, at least 1, that need not be given.</summary>
    public static Option<int?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "BYTES",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (SizeText.TryParse(text, out int bytes) && bytes > 0)
            {
                return bytes;
            }

            result.AddError(
                $"{name} takes a number of bytes from 1 to {int.MaxValue}, as in 500, 64k or 16m, not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    /// <summary>As <see cref="Size"/>, but it may be as much as a machine has memory.</summary>
    public static Option<long?> Memory(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "BYTES",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (SizeText.TryParse(text, long.MaxValue, out long bytes) && bytes > 0)
            {
                return bytes;
            }

            result.AddError(
                $"{name} takes a number of bytes from 1 to {long.MaxValue}, as in 512m or 2g, not \"{PrintableText.Escape(text)}\"");
            return null;
        },
    };

    private static Duration ParseWait(string name, ArgumentResult result)
    {
        Duration duration = Parse(name, result);
        if (duration.Time <= TimeSpan.Zero && !result.Errors.Any())
        {
            result.AddError($"{name} takes a time longer than 0");
        }

        return duration;
    }

    private static Duration Parse(string name, ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (Arguments.Duration.TryParse(text, out Duration duration))
        {
            return duration;
        }

        result.AddError($"{name} takes a time of at most 7 days, as in 5, 0.5, 200ms, 2m, 1h or 1d, not \"{PrintableText.Escape(text)}\"");
        return default;
    }
}
