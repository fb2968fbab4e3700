namespace Pipelines.Activities.Modeling;

/// <summary>The files beside a model's tensors that go with it unchanged.</summary>
internal static class TokenizerFiles
{
    private static readonly string[] Names =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"];

    public static void Copy(string from, string to)
    {
        foreach (var name in Names)
        {
            if (File.Exists(Path.Combine(from, name)))
                File.Copy(Path.Combine(from, name), Path.Combine(to, name));
        }
    }
}
