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

    private static string Reason(string message) => message.Split(" Path:")[0].TrimEnd('.');
}

/// <summary>A workflow document that cannot be read.</summary>
public sealed class WorkflowFileException(string message, Exception inner) : Exception(message, inner);
