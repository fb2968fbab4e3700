using System.Collections.Immutable;
using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>Reads a workflow document from a file.</summary>
public static class WorkflowFile
{
    /// <summary>Bytes; ten thousand stages take two million.</summary>
    public const int Largest = 10_000_000;

    /// <summary>With the workflows that it names by their files in it.</summary>
    /// <exception cref="WorkflowFileException">Says which file, and what is wrong in it at which line.</exception>
    public static WorkflowDefinition Read(string path) => Read(path, []);

    /// <param name="around">The files that this one is named by, itself not included.</param>
    private static WorkflowDefinition Read(string path, ImmutableList<string> around)
    {
        var full = Path.GetFullPath(path);
        if (around.Contains(full))
            throw new WorkflowFileException($"{path}: it is a stage of itself: {string.Join(" → ", around.Add(full).Select(Path.GetFileName))}");
        var definition = ReadOne(path);
        return definition with { Stages = Inline(definition.Stages, Path.GetDirectoryName(full)!, around.Add(full)) };
    }

    private static IReadOnlyList<StageDefinition> Inline(
        IReadOnlyList<StageDefinition> stages, string folder, ImmutableList<string> around) =>
    [
        .. stages.Select(stage => stage switch
        {
            null => null!, // said where the document is checked
            { Stages: { } inner } => stage with { Stages = Inline(inner, folder, around) },
            { Workflow: { Path: { } path } } when !DefinitionReference.Is(path) =>
                stage with { Workflow = new NestedWorkflow(null, Read(Path.Combine(folder, path), around)) },
            { Workflow.Definition: { } nested } => stage with
            {
                Workflow = new NestedWorkflow(null, nested with { Stages = Inline(nested.Stages, folder, around) }),
            },
            _ => stage,
        }),
    ];

    /// <summary>What is wrong with a document, for who wrote it, and where.</summary>
    public static string Explain(JsonException error)
    {
        var place = error.LineNumber is { } line ? $" (line {line + 1}{At(error.Path)})" : "";
        return Reason(error.Message) + place;
    }

    private static WorkflowDefinition ReadOne(string path)
    {
        using var text = new StreamReader(new MemoryStream(ReadBytes(path)));
        return Parse(text.ReadToEnd(), path);
    }

    /// <summary>One document; workflows that it names by their files stay named.</summary>
    /// <param name="source">What the text is called when something is wrong with it.</param>
    /// <exception cref="WorkflowFileException">Says what is wrong in it at which line.</exception>
    public static WorkflowDefinition Parse(string text, string source)
    {
        try
        {
            return Json.Read<WorkflowDefinition>(text);
        }
        catch (JsonException error)
        {
            throw new WorkflowFileException($"{source}: {Explain(error)}", error);
        }
    }

    /// <summary>A file that may be no longer than a workflow. What has no length (a pipe, a device) is not read for ever.</summary>
    /// <exception cref="WorkflowFileException">It is too large, or cannot be read.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.CanSeek && file.Length > Largest)
                throw TooLarge(path, $"{file.Length} bytes");
            var bytes = new byte[file.CanSeek && file.Length > 0 ? file.Length + 1 : Largest + 1];
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return count <= Largest ? bytes[..count] : throw TooLarge(path, "more");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorkflowFileException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    private static WorkflowFileException TooLarge(string path, string size) => new(
        $"{path}: a workflow has {Largest} bytes at most, this is {size}; what is large belongs in files that its parameters name", null);

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
public sealed class WorkflowFileException(string message, Exception? inner = null) : Exception(message, inner);
