using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>What is computed from kept keys and values is what the whole sequence would give.</summary>
public sealed class GenerationTests
{
    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    [Theory]
    [MemberData(nameof(All))]
    public void The_cache_changes_no_token(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name, ScalarType.Float64);
        var prompt = TinyArchitectures.Prompt()[0];

        var generated = model.Generate(prompt, 8);

        Assert.Equal(Whole(model, prompt, 8), generated);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Logits_of_parts_are_those_of_the_whole(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name, ScalarType.Float64);
        var tokens = cat([TinyArchitectures.Prompt(), TinyArchitectures.Prompt().flip(1)]);
        var whole = model.Hidden(tokens);

        // A prompt, one position, some more: each kind of step there is.
        using var cache = new KeyValueCache(model, 2, 8);
        Tensor[] parts = [Next(4), Next(1), Next(3)];

        Assert.InRange((cat(parts, 1) - whole).abs().max().ToDouble(), 0, 1e-12);
        Assert.Equal(8, cache.Length);

        Tensor Next(int count) => model.Hidden(tokens.narrow(1, cache.Length, count), cache);
    }

    [Fact]
    public void Several_prompts_go_on_as_each_does_by_itself()
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama", ScalarType.Float64);
        var prompts = cat([TinyArchitectures.Prompt(), TinyArchitectures.Prompt().flip(1)]);

        var together = model.Continue(prompts, 5);

        Assert.Equal([2, 5], together.shape);
        Assert.Equal([.. model.Generate(prompts[0], 5), .. model.Generate(prompts[1], 5)], together.data<long>().ToArray());
    }

    [Fact]
    public void A_pruned_model_generates_with_what_is_left_of_it()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("llama", ScalarType.Float64);
        model.Sites(0).First().Keep([1]);
        model.Blocks[1].RemoveAttention();
        model.Blocks[2].RemoveMlp();
        var prompt = TinyArchitectures.Prompt()[0];

        Assert.Equal(Whole(model, prompt, 6), model.Generate(prompt, 6));
    }

    [Fact]
    public void A_full_cache_is_refused_more()
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("llama");
        using var cache = new KeyValueCache(model, 1, 4);

        var error = Assert.Throws<ModelException>(() => model.Hidden(TinyArchitectures.Prompt(), cache));

        Assert.Equal("the cache holds 0 of 4 positions: no room for 8 more", error.Message);
    }

    /// <summary>Greedy, with the whole sequence run again for every token.</summary>
    private static long[] Whole(CausalLM model, Tensor prompt, int count)
    {
        var tokens = prompt.unsqueeze(0);
        for (var i = 0; i < count; i++)
            tokens = cat([tokens, model.Forward(tokens).narrow(1, -1, 1).argmax(-1)], 1);
        return tokens.narrow(1, prompt.shape[0], count).data<long>().ToArray();
    }
}
