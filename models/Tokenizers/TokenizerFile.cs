using System.Text.Json;

namespace Pipelines.Models;

/// <summary>The parts of a <c>tokenizer.json</c>, checked. Every fault is a <see cref="TokenizerException"/>.</summary>
internal sealed class TokenizerFile
{
    // Ids index arrays; one stray huge id must not allocate gigabytes.
    private const int LargestId = 1 << 24;

    private readonly string _name;
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _contents = [];

    public TokenizerFile(byte[] file, string name)
    {
        _name = name;
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            var root = new TokenizerNode(document.RootElement, "tokenizer", Fail);
            if (root.Optional("normalizer") is { } normalizer)
                throw Fail($"the normalizer {normalizer.TypeName} is not supported; only none is");
            if (root.Optional("decoder") is { } decoder && decoder.TypeName != "ByteLevel")
                throw Fail($"the decoder {decoder.TypeName} is not supported; only ByteLevel is");
            PreTokenizer = new PreTokenizerReader(Fail).Read(root.Optional("pre_tokenizer"));
            Model = ReadModel(root.Required("model"));
            AddedTokens = ReadAddedTokens(root.Optional("added_tokens"));
        }
        catch (JsonException e)
        {
            throw new TokenizerException($"{name}: not JSON: {e.Message}", e);
        }
    }

    public PreTokenizer PreTokenizer { get; }

    public BpeModel Model { get; }

    public IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>What each id stands for, added tokens included.</summary>
    public IReadOnlyDictionary<int, string> Contents => _contents;

    private BpeModel ReadModel(TokenizerNode model)
    {
        // The oldest files name no type; they are BPE where they have merges.
        string type = model.Optional("type")?.Text() ?? (model.Optional("merges") is null ? "without a type" : "BPE");
        if (type != "BPE")
            throw Fail($"the model {type} is not supported; only BPE is");
        if (model.Flag("byte_fallback"))
            throw Fail("byte_fallback is not supported");
        if (model.Optional("dropout") is { } dropout && !dropout.IsZero)
            throw Fail("dropout is not supported");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.OptionalText(affix) is { } text)
                throw Fail($"{affix} \"{text}\" is not supported");
        }

        foreach ((string token, TokenizerNode id) in model.Required("vocab").Properties())
            AddToVocabulary(token, Id(id, token));
        int? unknown = model.OptionalText("unk_token") is { } name ? RequireId(name, "unk_token") : null;
        return new BpeModel(
            _vocabulary, ReadMerges(model.Required("merges")), unknown, model.Flag("fuse_unk"), model.Flag("ignore_merges"));
    }

    private void AddToVocabulary(string token, int id)
    {
        if (!_vocabulary.TryAdd(token, id))
            throw Fail($"the vocabulary has \"{token}\" twice");
        AddContent(token, id);
    }

    private void AddContent(string token, int id)
    {
        if (!_contents.TryAdd(id, token))
            throw Fail($"\"{_contents[id]}\" and \"{token}\" have the same id {id}");
    }

    private Dictionary<(int, int), (int Rank, int Id)> ReadMerges(TokenizerNode merges)
    {
        var table = new Dictionary<(int, int), (int Rank, int Id)>();
        int rank = 0;
        foreach (TokenizerNode merge in merges.Items())
        {
            string[] parts = merge.IsArray ? [.. merge.Items().Select(item => item.Text())] : merge.Text().Split(' ');
            if (parts.Length != 2)
                throw Fail($"the merge \"{string.Join(' ', parts)}\" does not have two parts");
            string origin = $"the merge \"{parts[0]} {parts[1]}\"";
            (int, int) pair = (RequireId(parts[0], origin), RequireId(parts[1], origin));
            // Some trainers write a pair again when it comes up again; its last place counts.
            table[pair] = (rank++, RequireId(parts[0] + parts[1], origin));
        }
        return table;
    }

    private int RequireId(string token, string origin) => _vocabulary.TryGetValue(token, out int id)
        ? id
        : throw Fail($"{origin} needs \"{token}\", which is not in the vocabulary");

    private List<AddedToken> ReadAddedTokens(TokenizerNode? list)
    {
        var tokens = new List<AddedToken>();
        foreach (TokenizerNode node in list?.Items() ?? [])
        {
            string content = node.Required("content").Text();
            int id = Id(node.Required("id"), content);
            if (content.Length == 0)
                throw Fail($"the added token {id} is empty");
            foreach (string option in (string[])["single_word", "lstrip", "rstrip"])
            {
                if (node.Flag(option))
                    throw Fail($"{option} is not supported (added token \"{content}\")");
            }
            if (tokens.Any(token => token.Content == content))
                throw Fail($"the added token \"{content}\" is there twice");
            if (!_vocabulary.TryGetValue(content, out int known))
                AddContent(content, id);
            else if (known != id)
                throw Fail($"the added token \"{content}\" has the id {id}, but {known} in the vocabulary");
            tokens.Add(new AddedToken(id, content, node.Flag("normalized")));
        }
        return tokens;
    }

    private int Id(TokenizerNode node, string token) => node.Integer() is int id and >= 0 and <= LargestId
        ? id
        : throw Fail($"the id of \"{token}\" is not between 0 and {LargestId}");

    private TokenizerException Fail(string fault) => new($"{_name}: {fault}.");
}
