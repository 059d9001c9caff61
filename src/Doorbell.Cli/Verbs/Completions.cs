using System.CommandLine;
using System.CommandLine.Completions;

namespace Doorbell.Cli.Verbs;

/// <summary>What may stand where a command line ends, as a shell offers it: all of it comes from what the parser knows.</summary>
internal static class Completions
{
    private const string NoMoreOptions = "--";

    /// <summary>The words that the last one may become, each with what it means, which may be empty.</summary>
    /// <param name="doorbell">The command with all its verbs.</param>
    /// <param name="words">All behind the command's own name. The last is what stands there so far, and may be empty.</param>
    public static IReadOnlyList<(string Word, string Meaning)> Of(Command doorbell, IReadOnlyList<string> words)
    {
        Place place = new(doorbell);
        string[] before = [.. words.SkipLast(1)];
        string begun = words.Count == 0 ? "" : words[^1];
        if (before.Contains(Arguments.ProgramArguments.ExecOption))
        {
            return [];
        }

        Array.ForEach(before, place.Pass);
        (string front, IEnumerable<(string Word, string Meaning)> all) = place.Offers(begun);
        return [.. all.Select(offer => (Word: front + offer.Word, offer.Meaning)).DistinctBy(static offer => offer.Word)
            .Where(offer => offer.Word.StartsWith(begun, StringComparison.Ordinal))];
    }

    /// <summary>Where a command line is, word by word.</summary>
    private sealed class Place
    {
        private readonly HashSet<Option> _given = [];
        private readonly Command _doorbell;
        private Command _verb;
        private Option? _awaitsValue;
        private bool _hasOnlyArguments;
        private int _arguments;

        public Place(Command doorbell) => _verb = _doorbell = doorbell;

        public void Pass(string word)
        {
            if (_awaitsValue is not null)
            {
                _awaitsValue = null;
            }
            else if (!_hasOnlyArguments && word == NoMoreOptions)
            {
                _hasOnlyArguments = true;
            }
            else if (!_hasOnlyArguments && word is ['-', _, ..])
            {
                string[] parts = word.Split('=', 2);
                Option? option = Find(parts[0]);
                _ = option is null || _given.Add(option);
                _awaitsValue = option is { Arity.MaximumNumberOfValues: > 0 } && parts.Length == 1 && !IsFlag(option) ? option : null;
            }
            else if (_arguments == 0 && _verb.Subcommands.FirstOrDefault(verb => verb.Name == word) is { } verb)
            {
                _verb = verb;
            }
            else
            {
                // Behind a + stands another service with its endpoints.
                _arguments = word == "+" ? 0 : _arguments + 1;
            }
        }

        /// <summary>What may stand here, and what stands in front of each.</summary>
        public (string Front, IEnumerable<(string Word, string Meaning)> All) Offers(string begun)
        {
            if (_awaitsValue is not null)
            {
                return ("", Values(_awaitsValue.GetCompletions(CompletionContext.Empty)));
            }

            if (_hasOnlyArguments || begun is not ['-', ..])
            {
                return ("", [.. Subcommands(), .. OfArgument()]);
            }

            int equals = begun.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                return ("", Options());
            }

            Option? option = Find(begun[..equals]);
            return (begun[..(equals + 1)], option is null ? [] : Values(option.GetCompletions(CompletionContext.Empty)));
        }

        private static bool IsFlag(Option option) => option.ValueType == typeof(bool);

        private static IEnumerable<(string Word, string Meaning)> Values(IEnumerable<CompletionItem> items) =>
            items.Select(static item => (item.Label, item.Detail ?? ""));

        private IEnumerable<Option> All() => _verb == _doorbell
            ? _doorbell.Options
            : _verb.Options.Concat(_doorbell.Options.Where(static option => option.Recursive));

        private Option? Find(string word) => All().FirstOrDefault(option => option.Name == word || option.Aliases.Contains(word));

        private IEnumerable<(string Word, string Meaning)> Subcommands() => _arguments > 0
            ? []
            : _verb.Subcommands.Where(static verb => !verb.Hidden).Select(static verb => (verb.Name, Shortened(verb.Description)));

        /// <summary>The long names. One that was given is left out, unless it may be given again.</summary>
        private IEnumerable<(string Word, string Meaning)> Options() => All()
            .Where(option => !_given.Contains(option) || (option.Arity.MaximumNumberOfValues > 1 && !IsFlag(option)))
            .Select(static option => (option.Name, Shortened(option.Description)));

        /// <summary>The last argument of a verb takes all words that come.</summary>
        private IEnumerable<(string Word, string Meaning)> OfArgument()
        {
            int last = _verb.Arguments.Count - 1;
            bool isOneTooMany = _arguments > last && (last < 0 || _verb.Arguments[last].Arity.MaximumNumberOfValues <= 1);
            return isOneTooMany ? [] : Values(_verb.Arguments[Math.Min(_arguments, last)].GetCompletions(CompletionContext.Empty));
        }

        private static string Shortened(string? description) => (description ?? "").Split([" [default", "; ", ". "], 2, default)[0];
    }
}
