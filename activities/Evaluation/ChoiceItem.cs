using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Activities.Evaluation;

/// <summary>A question with one right answer among several.</summary>
/// <param name="Contexts">The text before each choice; the same for all, but in tasks like WinoGrande.</param>
/// <param name="Choices">Without the space between context and choice.</param>
/// <param name="Answer">The index of the right one.</param>
/// <param name="Line">In the file, from 1.</param>
public sealed record ChoiceItem(IReadOnlyList<string> Contexts, IReadOnlyList<string> Choices, int Answer, int Line)
{
    /// <summary>
    /// Reads items, one JSON object a line: <c>{"context": "…", "choices": ["…", "…"], "answer": 0}</c>, or with
    /// <c>"contexts"</c>, one for each choice. Other fields are ignored, and so are empty lines.
    /// </summary>
    /// <exception cref="StageException">The file cannot be read, or a line is no such object; the message names the line.</exception>
    public static IReadOnlyList<ChoiceItem> Read(string path)
    {
        try
        {
            return Parse(path, File.ReadLines(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StageException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    /// <inheritdoc cref="Read"/>
    /// <param name="name">For messages.</param>
    public static IReadOnlyList<ChoiceItem> Parse(string name, IEnumerable<string> lines)
    {
        var items = lines.Index()
            .Where(line => !string.IsNullOrWhiteSpace(line.Item))
            .Select(line => new ChoiceLine($"{name}, line {line.Index + 1}").Read(line.Item, line.Index + 1))
            .ToArray();
        return items.Length > 0 ? items : throw new StageException($"{name}: there are no items: expected one JSON object a line");
    }
}

/// <summary>Reads one line; every fault says which.</summary>
internal sealed class ChoiceLine(string where)
{
    public ChoiceItem Read(string line, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return Read(document.RootElement, number);
        }
        catch (JsonException error)
        {
            throw new StageException($"{where}: not JSON: {error.Message}", error);
        }
    }

    private ChoiceItem Read(JsonElement item, int number)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw Fault("expected an object");
        var choices = Texts(item, "choices");
        if (choices.Length < 2)
            throw Fault($"choices are {choices.Length}: expected at least 2");
        foreach (var (index, choice) in choices.Index())
        {
            if (string.IsNullOrWhiteSpace(choice) || char.IsWhiteSpace(choice[0]))
                throw Fault($"choice {index} is \"{choice}\": expected a text that begins with no space, which is put before it");
        }

        if (!item.TryGetProperty("answer", out var answer))
            throw Fault("answer is missing");
        if (answer.ValueKind != JsonValueKind.Number || !answer.TryGetInt32(out var right) || right < 0 || right >= choices.Length)
            throw Fault($"answer is {answer.GetRawText()}: expected an index from 0 to {choices.Length - 1}");
        return new ChoiceItem(Contexts(item, choices.Length), choices, right, number);
    }

    private string[] Contexts(JsonElement item, int choices)
    {
        var one = item.TryGetProperty("context", out var context);
        if (one == item.TryGetProperty("contexts", out _))
            throw Fault("expected either context or contexts");
        if (one)
            return [.. Enumerable.Repeat(Text(context, "context"), choices)];
        var several = Texts(item, "contexts");
        return several.Length == choices
            ? several
            : throw Fault($"contexts are {several.Length}: expected one for each of the {choices} choices");
    }

    private string[] Texts(JsonElement item, string name)
    {
        if (!item.TryGetProperty(name, out var list))
            throw Fault($"{name} is missing");
        return list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select((text, index) => Text(text, $"{name}[{index}]"))]
            : throw Fault($"{name} is {list.GetRawText()}: expected a list of texts");
    }

    private string Text(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw Fault($"{name} is {value.GetRawText()}: expected a text");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new StageException($"{where}: {name} is not valid Unicode", error);
        }
    }

    private StageException Fault(string message) => new($"{where}: {message}");
}
