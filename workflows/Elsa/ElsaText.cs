using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>Reads JSON from elsewhere: within bounds, without repeated properties, and with every text in it valid.</summary>
internal static class ElsaText
{
    /// <summary>Our document lays a few levels around what it keeps, and is read to 64.</summary>
    private const int Deepest = 60;

    // A text may lie deep in a document already.
    private const int DeepestInText = 32;

    /// <param name="deepest">Levels.</param>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, int deepest = Deepest)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        Scan(utf8, deepest);
        try
        {
            return JsonNode.Parse(utf8, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = deepest });
        }
        catch (JsonException error)
        {
            throw new ElsaException($"it is no JSON: {Reason(error)}", error);
        }
    }

    /// <summary>What a property holds as text, such as an input of the type Object; null when it is no JSON.</summary>
    public static bool TryParse(string text, out JsonNode? node)
    {
        try
        {
            node = Parse(Encoding.UTF8.GetBytes(text), DeepestInText);
            return true;
        }
        catch (ElsaException)
        {
            node = null;
            return false;
        }
    }

    /// <exception cref="ElsaException">It is nested too deep, or a text in it is half a character.</exception>
    private static void Scan(ReadOnlySpan<byte> utf8, int deepest)
    {
        // Not to be broken by depth itself, it counts.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= deepest)
                    throw new ElsaException($"line {Line(utf8, reader.TokenStartIndex)}: it is nested deeper than {deepest} levels");
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                    reader.GetString();
            }
        }
        catch (JsonException error)
        {
            throw new ElsaException($"it is no JSON: {Reason(error)}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new ElsaException($"line {Line(utf8, reader.TokenStartIndex)}: a text is not Unicode (UTF-8, every surrogate with its other half)", error);
        }
    }

    private static int Line(ReadOnlySpan<byte> utf8, long index) => utf8[..(int)index].Count((byte)'\n') + 1;

    private static string Reason(JsonException error)
    {
        var reason = error.Message.Split(" LineNumber:")[0].Split(" Path:")[0].TrimEnd('.');
        return error.LineNumber is { } line ? $"{reason} (line {line + 1})" : reason;
    }
}
