namespace Doorbell.Cli.Arguments;

/// <summary>Something in a configuration file is wrong. Its message names keys, so no option is printed in their place.</summary>
internal sealed class ConfigurationException(string message) : FormatException(message);
