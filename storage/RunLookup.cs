namespace Pipelines.Storage;

/// <summary>No run, or more than one, is called what the user typed. The message says which.</summary>
public sealed class RunLookupException(string message) : Exception(message);

/// <summary>A run is in a state that does not allow what was asked. The message says which.</summary>
internal sealed class RunStateException(string message) : Exception(message);
