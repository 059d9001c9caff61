namespace Doorbell.Cli.Arguments;

/// <summary>
/// The command's words for what a library's messages name. A library does not know the command and names the property that helps, as in
/// <c>ServerOptions.ListenBacklog</c>; where the command prints the message, its reader is to give an option.
/// </summary>
internal static class OptionNames
{
    private static readonly Dictionary<string, string> _wordOf = new()
    {
        ["ServerOptions.AtLimit can't be Close"] = "--at-limit close, which --refuse means too, has no effect",
        ["ServerOptions.AtLimit has"] = "--at-limit has",
        ["ServerOptions.RefusalLine has"] = "--refuse has",
        ["ServerOptions.ListenBacklog"] = "--backlog",
        ["ServerOptions.MaxConnections has"] = "--max-connections has",
        ["ServerOptions.MaxConnectionsPerAddress"] = "--max-per-address",
        ["StreamLimits.FirstByteTimeout has"] = "--first-byte-timeout has",
        ["StreamLimits.IdleTimeout has"] = "--idle-timeout has",
        ["StreamLimits.MaxLifetime has"] = "--max-lifetime has",
        ["StreamLimits.MaxMessageBytes"] = "--max-message",
        ["StreamLimits.MaxPendingOutput"] = "--max-pending",
        ["StreamLimits.MinDataRate"] = "--min-rate",
        ["ServerOptions.MaxBufferedBytes"] = "--max-buffered",
        ["ServerOptions.MaxOutgoingConnections allows"] = "--max-connections allows",
        ["give a ServerName or a pin"] = "give --servername or --pin",
        ["(MaxHandshakes)"] = "(--max-handshakes)",
        ["LocalAddress has no effect"] = "--from has no effect",
        ["LocalPort has no effect"] = "--from has no effect",
        ["Family has no effect"] = "--ipv4 or --ipv6 has no effect",
        ["LocalAddress "] = "--from ",
        ["ClientOptions.SocketOptions"] = "--option",
        ["ServerOptions.SocketOptions"] = "--option",
        ["leave out ServerOptions.ReusePort"] = "leave out --reuse-port",
        ["serve a handler here"] = "serve one of the built-in services here",
        ["ServerOptions.TakeoverPath"] = "--takeover",
        ["leave out the door's Layers"] = "leave out --accept-proxy",
        ["leave out the Layers of"] = "leave out --accept-proxy for",
        ["ServerOptions.TakeoverChanges"] = "--takeover-changes",
        ["CoapServerLimits.MaxExchanges"] = "--coap-exchanges",
        ["set MessageClientOptions.ReadsGreeting"] = "use --greeting",
        ["MessageClientOptions.ReadsGreeting"] = "--greeting",
        ["allow a longer timeout"] = "allow more with --timeout",
        ["and more RetrySchedule.Tries"] = "and --tries",
        ["Connector.ConnectAsync"] = "`doorbell connect`",
        ["SocketOptionCatalogue.All"] = "`doorbell options`",
        ["SocketOptionCatalogue.Read"] = "`doorbell options`",
        ["ImpairOptions.Listen"] = "LISTEN",
        ["ImpairOptions.Upstream"] = "UPSTREAM",
        ["LoadOptions.Connections"] = "--connections",
        ["LoadOptions.Pipeline"] = "--pipeline",
        ["LoadOptions.Rate"] = "--rate",
        ["LoadOptions.Reconnect"] = "--reconnect",
        ["LoadOptions.Answer"] = "the answer that --expect names",
        ["LoadOptions.Question"] = "what is asked",
        ["ControlSocket takes"] = "--control takes",
        ["ToxiproxyServer takes"] = "--toxiproxy-api takes",
    };

    /// <summary>A library's message as the command says it.</summary>
    public static string InWordsOfTheCommand(string message)
    {
        foreach ((string key, string word) in _wordOf)
        {
            message = message.Replace(key, word, StringComparison.Ordinal);
        }

        return message;
    }
}
