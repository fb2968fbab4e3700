namespace Pipelines.Cli;

/// <summary>The command cannot be carried out as it was given; nothing was run. Ends the program with 2.</summary>
internal sealed class UserException(string message) : Exception(message);
