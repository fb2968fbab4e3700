using System.Text.Json;
using Pipelines.Activities.Evaluation;
using Pipelines.Tests.Fixtures;
using Pipelines.Workflows;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>Prompts that a trained generator makes of a prefix, to draw more out of a model (arXiv:2409.13853).</summary>
public sealed class SoftPromptTests : IDisposable
{
    private readonly StageFolder stages = new();

    public static TheoryData<string> Architectures => [.. TinyArchitectures.Names];

    public void Dispose() => stages.Dispose();

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_generator_begins_with_the_rows_of_the_last_tokens(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(architecture);
        using var generator = new SoftPromptGenerator(model, length: 3, blocks: 2, seed: 1);
        var prefix = TinyArchitectures.Prompt();

        var prompt = generator.Prompt(prefix);

        Assert.True(prompt.detach().Equals(model.Rows(prefix.narrow(1, 5, 3))));
        Assert.True(prompt.requires_grad);
        Assert.DoesNotContain(model.NamedParameters(), one => one.Tensor.requires_grad);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Rows_before_a_prompt_are_read_like_tokens_before_it(string architecture)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(architecture);
        var tokens = TinyArchitectures.Prompt();
        var (first, rest) = (tokens.narrow(1, 0, 3), tokens.narrow(1, 3, 5));

        Assert.Equal(model.Continue(tokens, 4).data<long>().ToArray(), model.Continue(rest, 4, model.Rows(first)).data<long>().ToArray());

        // 8 tokens, the last 2 of them the suffix: what the model says of 6 and 7, whether 0 to 2 are tokens or a prompt.
        var logits = model.Forward(tokens).narrow(1, 5, 2).log_softmax(-1);
        var expected = -logits.gather(-1, tokens.narrow(1, 6, 2).unsqueeze(-1)).mean().ToDouble();
        Assert.Equal(expected, SoftPromptGenerator.SuffixLoss(model, tokens, 6, null).ToDouble(), 1e-5);
        Assert.Equal(expected, SoftPromptGenerator.SuffixLoss(model, rest, 3, model.Rows(first)).ToDouble(), 1e-5);
    }

    [Fact]
    public void Its_gradient_is_that_of_small_steps()
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create("phi", ScalarType.Float64);
        using var generator = new SoftPromptGenerator(model, length: 4, blocks: 1, seed: 1);
        Tensor[] trained = [generator.Embedding, .. generator.Others];
        using (no_grad())
        {
            foreach (var one in trained)
                one.add_(randn(one.shape, generator: new Generator(4)).to(ScalarType.Float64) * 0.1);
        }

        generator.Loss(TinyArchitectures.Prompt(), 6).backward();
        var directions = trained.Select((one, index) => randn(one.shape, generator: new Generator((ulong)index)).to(ScalarType.Float64)).ToArray();
        var slope = trained.Zip(directions).Sum(pair => (pair.First.grad! * pair.Second).sum().ToDouble());
        using var ungraded = no_grad();
        var difference = (Moved(1e-5) - Moved(-2e-5)) / 2e-5;

        Assert.InRange(difference / slope, 0.9999, 1.0001);

        double Moved(double by)
        {
            foreach (var (one, direction) in trained.Zip(directions))
                one.add_(direction * by);
            return generator.Loss(TinyArchitectures.Prompt(), 6).ToDouble();
        }
    }

    /// <summary>Three windows of four tokens a sequence, one every two: 0 1 | 2 3 | 4 5 6 7.</summary>
    [Theory]
    [InlineData(1, 3, 4, 4, 1)]
    [InlineData(3, 3, 4, 4, 3)]
    [InlineData(1, 3, 4, 2, 2)]
    [InlineData(2, 3, 4, 2, 3)]
    [InlineData(4, 3, 4, 2, 5)]
    [InlineData(1, 9, 4, 3, 2)]
    public void No_window_that_is_trained_on_shares_a_token_with_one_that_is_tested(
        long count, long perSequence, int length, int stride, long behind) =>
        Assert.Equal(behind, Memorization.Behind(count, perSequence, length, stride));

    [Theory]
    [InlineData("llama")]
    [InlineData("opt")]
    public async Task A_trained_generator_lowers_the_loss_and_leaves_the_measure_without_it(string architecture)
    {
        var model = await stages.ModelAsync(architecture: architecture);

        var plain = await RunAsync(model, new { prefix = 4, suffix = 3, windows = 4 });
        var prompted = await RunAsync(model, new { prefix = 4, suffix = 3, windows = 4, prompt = 4, promptSteps = 40, promptRate = 0.01, embeddingRate = 0.01 });

        foreach (var name in new[] { "protocol", "exact", "fractional" })
            Assert.Equal(plain.GetProperty(name).GetRawText(), prompted.GetProperty(name).GetRawText());
        Assert.False(plain.TryGetProperty("prompted", out _));
        var with = prompted.GetProperty("prompted");

        // An untrained model whose logits are small cannot be led far.
        Assert.InRange(with.GetProperty("plainLoss").GetDouble() - with.GetProperty("loss").GetDouble(), 1e-3, 1);
        Assert.Equal(
            "soft-prompt-1:length=4:blocks=1:trained=12:steps=40:batch=16:rate=0.01:embedding=0.01:seed=0",
            with.GetProperty("method").GetString());
    }

    [Fact]
    public async Task One_that_died_at_any_step_ends_with_the_same_numbers()
    {
        const int steps = 4;
        var model = await stages.ModelAsync();
        var whole = await TrainAsync();

        for (var dies = 1; dies <= steps; dies++)
        {
            var kept = Path.Combine(stages.Folder, $"dies-{dies}");
            stages.Checkpoints = new KeptCheckpoints(kept, dies);
            await Assert.ThrowsAsync<KeptCheckpoints.Died>(TrainAsync);
            stages.Checkpoints = new KeptCheckpoints(kept);

            Assert.Equal(whole.GetRawText(), (await TrainAsync()).GetRawText());
        }

        Task<JsonElement> TrainAsync() => RunAsync(model, new { prefix = 4, suffix = 4, windows = 4, prompt = 2, promptSteps = steps, promptBatch = 3 });
    }

    [Fact]
    public async Task It_says_what_cannot_be_prompted()
    {
        var model = await stages.ModelAsync(architecture: "opt");

        Assert.Contains("prompt, prefix and suffix are 17 tokens", await SaidAsync(new { prefix = 8, suffix = 4, prompt = 5 }));
        Assert.Contains("a prompt of 5 rows", await SaidAsync(new { prefix = 4, suffix = 4, prompt = 5 }));
        Assert.Contains("no piece is left", await SaidAsync(new { prefix = 4, suffix = 4, prompt = 4 }));

        async Task<string> SaidAsync(object parameters) =>
            (await Assert.ThrowsAsync<StageException>(() => RunAsync(model, parameters))).Message;
    }

    private async Task<JsonElement> RunAsync(JsonElement model, object parameters) =>
        (await stages.RunAsync("evaluate.memorization", parameters, ("model", model), ("data", await stages.DataAsync()))).GetProperty("measurement");
}
