namespace Pipelines.Workflows.Elsa;

/// <summary>What was given is no Elsa workflow, or none that can be read; says where.</summary>
public sealed class ElsaException(string message, Exception? inner = null) : Exception(message, inner);
