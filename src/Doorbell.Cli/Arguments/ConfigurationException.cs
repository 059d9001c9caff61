namespace Doorbell.Cli.Arguments;

/// <summary>Something in a configuration file is wrong. Its message names keys, and is printed without the options' names for them.</summary>
internal sealed class ConfigurationException(string message) : FormatException(message);
