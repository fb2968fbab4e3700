using System.Security.Cryptography;
using System.Text;

namespace Pipelines.Models;

/// <summary>
/// A byte-level BPE tokenizer, as <c>tokenizer.json</c> describes it. It adds no special tokens of its own:
/// the file's post-processor, truncation and padding are not applied. Safe to use from several threads.
/// </summary>
public sealed class Tokenizer
{
    private const string FileName = "tokenizer.json";
    private const string ConfigFileName = "tokenizer_config.json";

    // Longer pieces are rarely seen twice.
    private const int LongestCached = 64;

    // Decoded text is taken as it is: "cleaning up" would move spaces.
    private static readonly byte[] MinimalConfig = Encoding.UTF8.GetBytes(
        "{\n  \"clean_up_tokenization_spaces\": false,\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n");

    private readonly byte[] _file;
    private readonly byte[] _config;
    private readonly AddedTokenMatcher _added;
    private readonly PreTokenizer _preTokenizer;
    private readonly BpeModel _model;
    private readonly byte[]?[] _bytes;

    private Tokenizer(byte[] file, byte[] config, string name)
    {
        var description = new TokenizerFile(file, name);
        _file = file;
        _config = config;
        _added = new AddedTokenMatcher(description.AddedTokens);
        _preTokenizer = description.PreTokenizer;
        _model = description.Model;
        _bytes = new byte[]?[description.Contents.Keys.DefaultIfEmpty(-1).Max() + 1];
        foreach ((int id, string content) in description.Contents)
            _bytes[id] = ByteSymbols.BytesOf(content);
        foreach (AddedToken token in description.AddedTokens)
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>The largest id, plus one; added tokens count.</summary>
    public int VocabularySize => _bytes.Length;

    /// <summary>The lower-case hexadecimal SHA-256 of the bytes of <c>tokenizer.json</c>.</summary>
    public string Sha256 { get; }

    /// <summary>Reads <c>tokenizer.json</c> in a folder.</summary>
    /// <exception cref="TokenizerException">As for <see cref="Read"/>.</exception>
    public static Tokenizer Load(string folder) => Read(Path.Combine(folder, FileName));

    /// <summary>
    /// Reads a <c>tokenizer.json</c>, and keeps the <c>tokenizer_config.json</c> beside it for <see cref="Save"/>.
    /// </summary>
    /// <exception cref="TokenizerException">
    /// The file is missing, unreadable or malformed, or asks for something unsupported; the message names both.
    /// </exception>
    public static Tokenizer Read(string path)
    {
        try
        {
            string config = Path.Combine(Path.GetDirectoryName(path) ?? "", ConfigFileName);
            return new Tokenizer(
                File.ReadAllBytes(path), File.Exists(config) ? File.ReadAllBytes(config) : MinimalConfig, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: the tokenizer cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The ids of a text; half a surrogate pair counts as U+FFFD.</summary>
    /// <exception cref="TokenizerException">
    /// The text needs a byte that the vocabulary has no symbol for, and the vocabulary names no unknown token.
    /// </exception>
    public int[] Encode(string text)
    {
        var ids = new List<int>(text.Length / 2);
        // One cache per call needs no lock and no bound other than the text.
        var cache = new Dictionary<string, int[]>(StringComparer.Ordinal);
        var lookup = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach ((ReadOnlyMemory<char> part, AddedToken? token) in _added.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }
            foreach (ReadOnlyMemory<char> piece in _preTokenizer.Split(part))
            {
                if (!lookup.TryGetValue(piece.Span, out int[]? encoded))
                {
                    encoded = _model.Encode(piece.Span);
                    if (piece.Length <= LongestCached)
                        lookup[piece.Span] = encoded;
                }
                ids.AddRange(encoded);
            }
        }
        return [.. ids];
    }

    /// <summary>The text that ids spell, added tokens included; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>(ids.Length * 3);
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_bytes.Length || _bytes[id] is not { } token)
                throw new TokenizerException($"The id {id} is not in the vocabulary of {VocabularySize} ids.");
            bytes.AddRange(token);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>
    /// Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> into a folder, which is made if need be;
    /// what was read is written as the same bytes.
    /// </summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder does not allow it.</exception>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, FileName), _file);
        File.WriteAllBytes(Path.Combine(folder, ConfigFileName), _config);
    }

    internal static Tokenizer Parse(byte[] file, string name) => new(file, MinimalConfig, name);
}
