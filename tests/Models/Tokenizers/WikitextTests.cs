using System.Diagnostics;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class WikitextTests
{
    [Theory]
    [InlineData("test", 506_515, new[] { 329, 349, 383, 114, 515, 119, 282, 280 })]
    [InlineData("valid", 446_257, new[] { 329, 349, 401, 303, 287, 370, 313, 340 })]
    public void Encodes_wikitext_as_the_reference_did(string split, int count, int[] first)
    {
        Tokenizer tokenizer = Tokenizer.Load(SharedFiles.Find("models/wikitext-llama"));
        string text = SharedFiles.Text($"data/wikitext-2/{split}.txt");
        var watch = Stopwatch.StartNew();

        int[] ids = tokenizer.Encode(text);

        TestContext.Current.SendDiagnosticMessage($"Encoded {text.Length} characters in {watch.Elapsed}.");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"It took {watch.Elapsed}.");
        Assert.Equal(1024, tokenizer.VocabularySize);
        Assert.Equal(count, ids.Length);
        Assert.Equal(first, ids[..8]);
        Assert.Equal(text, tokenizer.Decode(ids));
    }
}
