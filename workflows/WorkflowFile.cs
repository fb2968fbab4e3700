using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>Reads a workflow document from a file.</summary>
public static class WorkflowFile
{
    /// <exception cref="WorkflowFileException">Says which file, and what is wrong in it at which line.</exception>
    public static WorkflowDefinition Read(string path)
    {
        try
        {
            return Json.Read<WorkflowDefinition>(File.ReadAllText(path));
        }
        catch (JsonException error)
        {
            var place = error.LineNumber is { } line ? $" (line {line + 1}{At(error.Path)})" : "";
            throw new WorkflowFileException($"{path}: {Reason(error.Message)}{place}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorkflowFileException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    private static string At(string? path) => path is null or "$" ? "" : $", at {path.TrimStart('$').TrimStart('.')}";

    // System.Text.Json writes for who wrote the types; this is for who wrote the file.
    private static string Reason(string message)
    {
        var reason = message.Split(" Path:")[0].TrimEnd('.');
        if (reason.StartsWith("The JSON property '", StringComparison.Ordinal))
            return $"unknown property '{reason.Split('\'')[1]}'";
        if (reason.Split(" was missing required properties including: ") is [_, var missing])
            return $"missing {missing}";
        if (reason.Contains("could not be converted to", StringComparison.Ordinal))
            return "a value of another type is expected";
        if (reason.Contains("doesn't allow null", StringComparison.Ordinal))
            return "null is not allowed";
        return reason.Split(" encountered during deserialization")[0];
    }
}

/// <summary>A workflow document that cannot be read.</summary>
public sealed class WorkflowFileException(string message, Exception inner) : Exception(message, inner);
