namespace Doorbell.Cli.Printing;

/// <summary>
/// The scripts by which shells complete. Each asks <c>doorbell completion words -- WORD…</c>, so that it fits each version of the command.
/// Where nothing is answered, the shell completes the names of files.
/// </summary>
internal static class CompletionScripts
{
    private const string Bash = """
        # Completion of doorbell in bash: source this file, as from ~/.bashrc.
        _doorbell() {
            local line=${COMP_LINE:0:COMP_POINT} words found word front=
            read -ra words <<< "$line"
            case $line in *[[:space:]]) words+=('') ;; esac
            # Bash takes a colon and an equals sign for ends of words, and replaces only what stands behind the last one.
            word=${words[-1]}
            case $COMP_WORDBREAKS in *:*) case $word in *:*) front=${word%:*}: ;; esac ;; esac
            case $COMP_WORDBREAKS in *=*) case ${word#"$front"} in *=*) front=${word%=*}= ;; esac ;; esac
            COMPREPLY=()
            while IFS=$'\t' read -r found _; do
                COMPREPLY+=("${found#"$front"}")
            done < <("$1" completion words -- "${words[@]:1}" 2> /dev/null)
            # A space follows a whole word alone.
            case ${COMPREPLY[0]-} in *[:=/]) compopt -o nospace ;; esac
        }
        complete -o default -F _doorbell doorbell

        """;

    private const string Zsh = """
        #compdef doorbell
        # Completion of doorbell in zsh: a file named _doorbell in a folder of $fpath, or sourced behind compinit.
        _doorbell() {
            local line word
            local -a whole wholeShown open openShown
            for line in "${(@f)$("${(Q)words[1]}" completion words -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}"; do
                word=${line%%$'\t'*}
                if [[ $word == *[:=/] ]]; then
                    open+=("$word")
                    openShown+=("${line/$'\t'/ -- }")
                elif [[ -n $word ]]; then
                    whole+=("$word")
                    wholeShown+=("${line/$'\t'/ -- }")
                fi
            done
            if (( ${#whole} + ${#open} == 0 )); then
                _files
            else
                # -o nosort would lose the groups' order; a space follows a whole word alone.
                compadd -l -d wholeShown -a whole
                compadd -l -S '' -d openShown -a open
            fi
        }
        if [ "$funcstack[1]" = _doorbell ]; then
            _doorbell "$@"
        else
            compdef _doorbell doorbell
        fi

        """;

    private const string Fish = """
        # Completion of doorbell in fish: save it as ~/.config/fish/completions/doorbell.fish.
        function __doorbell_words
            set -l before (commandline --tokenize --cut-at-cursor --current-process)
            set -l word (commandline --current-token --cut-at-cursor)
            set -l found ($before[1] completion words -- $before[2..-1] "$word" 2> /dev/null)
            if test (count $found) -gt 0
                printf '%s\n' $found
            else
                __fish_complete_path "$word"
            end
        end
        complete --command doorbell --no-files --arguments '(__doorbell_words)'

        """;

    private const string PowerShell = """
        # Completion of doorbell in PowerShell: add it to the file $PROFILE.
        Register-ArgumentCompleter -Native -CommandName doorbell -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
            $before = @($words | Select-Object -Skip 1)
            & $words[0] completion words '--' @before $wordToComplete 2> $null | ForEach-Object {
                $word, $meaning = $_ -split "`t", 2
                if (-not $meaning) { $meaning = $word }
                [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
            }
        }

        """;

    /// <summary>By the shell's name.</summary>
    public static IReadOnlyList<(string Shell, string Script)> All { get; } =
        [("bash", Bash), ("zsh", Zsh), ("fish", Fish), ("powershell", PowerShell)];
}
