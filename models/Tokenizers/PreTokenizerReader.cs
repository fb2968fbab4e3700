namespace Pipelines.Models;

/// <summary>Reads the pre-tokenizer of a file: ByteLevel, alone or after Splits in a Sequence.</summary>
internal sealed class PreTokenizerReader(Func<string, TokenizerException> fail)
{
    private const string Supported = "only ByteLevel, Split and Sequence are";

    public PreTokenizer Read(TokenizerNode? node)
    {
        List<TokenizerNode> steps = node is null ? [] : [.. Flatten(node)];
        foreach (string type in steps.Select(step => step.TypeName))
        {
            if (type is not ("Split" or "ByteLevel"))
                throw fail($"the pre-tokenizer {type} is not supported; {Supported}");
        }
        if (steps.Count == 0 || steps.FindIndex(step => step.TypeName == "ByteLevel") != steps.Count - 1)
            throw fail("a pre-tokenizer that does not end with its one ByteLevel is not supported");

        TokenizerNode byteLevel = steps[^1];
        return new PreTokenizer(
            [.. steps.SkipLast(1).Select(ReadSplit)],
            byteLevel.Flag("add_prefix_space", missing: true), byteLevel.Flag("use_regex", missing: true));
    }

    private static IEnumerable<TokenizerNode> Flatten(TokenizerNode node) => node.TypeName == "Sequence"
        ? node.Required("pretokenizers").Items().SelectMany(Flatten)
        : [node];

    private RegexSplitter ReadSplit(TokenizerNode split)
    {
        string behavior = split.Required("behavior").Text();
        if (behavior != "Isolated")
            throw fail($"the behavior {behavior} of Split is not supported; only Isolated is");
        if (split.Flag("invert"))
            throw fail("invert of Split is not supported");
        if (split.Required("pattern").OptionalText("Regex") is not { } pattern)
            throw fail("a Split without a Regex pattern is not supported");
        try
        {
            return new RegexSplitter(pattern);
        }
        catch (ArgumentException e)
        {
            throw fail($"the expression {pattern} of Split is not supported: {e.Message}");
        }
    }
}
