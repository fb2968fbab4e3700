using System.Text;
using System.Text.Json;

namespace Pipelines.Models;

/// <summary>
/// Reads and checks the header of a safetensors file. Whatever it says is believed only as far as the file's size bears
/// it out: names once, shapes that give the sizes, tensors that cover the data without overlap, hole or remainder.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's own limit.</summary>
    public const long MostBytes = 100_000_000;

    private readonly string path;

    private SafetensorsHeader(string path) => this.path = path;

    public SortedDictionary<string, TensorEntry> Tensors { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Metadata { get; } = [];

    /// <param name="json">The header's bytes.</param>
    /// <param name="data">Bytes that follow it in the file.</param>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long data)
    {
        var header = new SafetensorsHeader(path);
        try
        {
            header.Read(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or DecoderFallbackException)
        {
            throw new SafetensorsException($"{path}: the header is not the JSON that was expected: {error.Message}", error);
        }

        header.CheckCover(data);
        return header;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        if (json.Length == 0 || json[0] != '{')
            throw Fault("the header does not begin with '{'");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == "__metadata__")
                ReadMetadata(ref reader);
            else if (!Tensors.TryAdd(name, ReadEntry(ref reader, name)))
                throw Fault($"tensor '{name}' is there twice");
        }

        if (reader.Read())
            throw Fault("something follows the header's object");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault("__metadata__ is no object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Fault($"__metadata__ '{name}' is no text");
            Metadata[name] = reader.GetString()!;
        }
    }

    private TensorEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Fault($"tensor '{name}' is no object");
        string? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null && reader.TokenType == JsonTokenType.String:
                    type = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, field);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, field);
                    break;
                default:
                    throw Fault($"tensor '{name}': field '{field}' is unknown, there twice, or of the wrong type");
            }
        }

        return Check(name, type, shape, offsets);
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string name, string field)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Fault($"tensor '{name}': {field} is no list");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Fault($"tensor '{name}': {field} holds something that is no whole number from 0 on");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private TensorEntry Check(string name, string? type, long[]? shape, long[]? offsets)
    {
        if (type is null || shape is null || offsets is null)
            throw Fault($"tensor '{name}': expected dtype, shape and data_offsets");
        if (SafetensorsType.Parse(type) is not { } known)
            throw Fault($"tensor '{name}' has dtype {type}: expected one of {SafetensorsType.Names}");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw Fault($"tensor '{name}': data_offsets are [{string.Join(", ", offsets)}]: expected begin and end");
        long bytes = SafetensorsType.Size(known);
        try
        {
            foreach (var size in shape)
                bytes = checked(bytes * size);
        }
        catch (OverflowException)
        {
            throw Fault($"tensor '{name}': shape [{string.Join(", ", shape)}] is larger than any file");
        }

        var entry = new TensorEntry(name, known, shape, offsets[0], offsets[1]);
        return entry.Bytes == bytes
            ? entry
            : throw Fault($"tensor '{name}': data_offsets span {entry.Bytes} bytes, but {type} [{string.Join(", ", shape)}] takes {bytes}");
    }

    private void CheckCover(long data)
    {
        var at = 0L;
        foreach (var entry in Tensors.Values.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != at)
            {
                throw Fault($"tensor '{entry.Name}' begins at {entry.Begin}: expected {at}, "
                    + (entry.Begin < at ? "it overlaps the one before" : "there is a hole before it"));
            }

            if (entry.End > data)
                throw Fault($"tensor '{entry.Name}' ends at {entry.End}, but only {data} bytes of data are there: the file is cut off");
            at = entry.End;
        }

        if (at != data)
            throw Fault($"{data - at} bytes follow the last tensor: expected none");
    }

    private SafetensorsException Fault(string message) => new($"{path}: {message}");
}
