using System.Text.Json.Nodes;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>Every architecture: against the reference where it has numbers, and against what is true of each.</summary>
public sealed class ArchitectureTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-architecture-").FullName;

    public static TheoryData<string> All => [.. TinyArchitectures.Names];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("opt-tiny")]
    [InlineData("qwen2-tiny")]
    public void Logits_are_those_of_the_reference(string name)
    {
        using var model = CausalFolder.Load(Golden.Path($"models/{name}"), CPU);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();

        var logits = model.Forward(golden.View("input_ids"));

        Assert.InRange((logits.to(ScalarType.Float64) - golden.View("logits64")).abs().max().ToDouble(), 0, 2e-5);
    }

    [Theory]
    [InlineData("opt-tiny")]
    [InlineData("qwen2-tiny")]
    public void Greedy_tokens_are_those_of_the_reference(string name)
    {
        using var model = CausalFolder.Load(Golden.Path($"models/{name}"), CPU);
        using var scope = NewDisposeScope();
        var expected = JsonNode.Parse(File.ReadAllText(Golden.Path("forward/summary.json")))![name]!["greedy_24_from_prompt0_first16"]!;

        Assert.Equal(expected.AsArray().Select(token => token!.GetValue<long>()), model.Generate(Golden.Tokens("prompt")[0].narrow(0, 0, 16), 24));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_saved_model_is_the_same_when_it_is_loaded(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);

        Assert.False(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
        Assert.Equal(model.NamedParameters().Select(one => one.Name), loaded.NamedParameters().Select(one => one.Name));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void No_position_sees_a_later_one(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        var changed = TinyArchitectures.Prompt().clone();
        changed[0, 6] = tensor(5L);

        var difference = (model.Forward(TinyArchitectures.Prompt()) - model.Forward(changed)).abs().amax([2L])[0];

        Assert.Equal(0, difference.narrow(0, 0, 6).max().ToDouble());
        Assert.True(difference[6].ToDouble() > 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Gradients_are_those_of_small_steps(string name)
    {
        using var scope = NewDisposeScope();
        using var model = TinyArchitectures.Create(name, ScalarType.Float64);
        var parameters = model.NamedParameters().Select(one => one.Tensor.requires_grad_()).ToArray();
        model.NextTokenLoss(TinyArchitectures.Prompt()).backward();
        using var generator = new Generator(11, CPU);
        var direction = parameters.Select(parameter => empty(parameter.shape, dtype: ScalarType.Float64).normal_(0, 1, generator: generator)).ToArray();
        var slope = parameters.Zip(direction).Sum(pair => (pair.First.grad! * pair.Second).sum().ToDouble());

        const double step = 1e-5;
        using var ungraded = no_grad();
        var difference = (Moved(step) - Moved(-2 * step)) / (2 * step);

        Assert.InRange(Math.Abs(slope - difference), 0, 1e-5 * Math.Max(1, Math.Abs(slope)));

        double Moved(double by)
        {
            foreach (var (parameter, way) in parameters.Zip(direction))
                parameter.add_(way * by);
            return model.NextTokenLoss(TinyArchitectures.Prompt()).ToDouble();
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_half_that_a_hook_skips_is_not_observed(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        var block = model.Blocks[0];
        foreach (var half in new object[] { block.Attention!, block.Mlp! })
        {
            var hook = new Without(half);

            block.Observe(randn(1, 8, 16), model.Positions(8), hook);

            Assert.Equal(half == block.Mlp ? block.Attention!.Linears : block.Mlp!.Linears, hook.Seen);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Cutting_units_out_gives_what_zeroing_them_gives(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var cut = TinyArchitectures.Create(name);
        using var zeroed = TinyArchitectures.Create(name);
        var random = new Random(7);
        var removed = 0L;
        foreach (var (site, whole) in cut.Sites().Zip(zeroed.Sites()))
        {
            int[] kept = [.. Enumerable.Range(0, site.Count).Where(_ => random.NextDouble() < 0.6).DefaultIfEmpty(0)];
            removed += (site.Count - kept.Length) * site.UnitParameters;
            site.Keep(kept);
            whole.Zero([.. Enumerable.Range(0, whole.Count).Except(kept)]);
        }

        Assert.InRange((cut.Forward(TinyArchitectures.Prompt()) - zeroed.Forward(TinyArchitectures.Prompt())).abs().max().ToDouble(), 0, 1e-5);
        Assert.Equal(zeroed.ParameterCount() - removed, cut.ParameterCount());

        CausalFolder.Save(cut, folder);
        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(cut.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Blocks_and_halves_of_blocks_can_go(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create(name);
        model.Blocks[1].RemoveAttention();
        model.Blocks[2].RemoveMlp();
        model.RemoveBlocks([0]);

        Assert.True(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.Equal(2, loaded.Blocks.Count);
        Assert.Null(loaded.Blocks[0].Attention);
        Assert.Null(loaded.Blocks[1].Mlp);
        Assert.True(model.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void A_whole_block_less_is_a_plain_checkpoint()
    {
        using var model = TinyArchitectures.Create("llama");
        model.RemoveBlocks([1]);

        Assert.False(CausalFolder.Save(model, folder));

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        Assert.Equal(2, config["num_hidden_layers"]!.GetValue<int>());
        Assert.Null(config["pipelines_manifest"]);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void What_a_block_reads_and_writes_can_be_chosen(string name)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var whole = TinyArchitectures.Create(name);
        using var chosen = TinyArchitectures.Create(name);
        long[] channels = [0, 2, 3, 7, 9, 15];
        foreach (var (block, masked) in chosen.Blocks.Zip(whole.Blocks))
        {
            foreach (var (linear, full) in block.Linears.Zip(masked.Linears))
            {
                var writes = linear == block.Attention!.Output || linear == block.Mlp!.Down;
                var mask = zeros(16).index_fill(0, tensor(channels), 1);
                full.SetWeight(full.Weight * (writes ? mask.view(-1, 1) : mask.view(1, -1)));
                linear.SetWeight(linear.Weight.index_select(writes ? 0 : 1, tensor(channels)));
                if (!writes)
                {
                    linear.SetReads(tensor(channels));
                    continue;
                }

                full.SetBias(full.Bias is null ? null : full.Bias * mask);
                linear.SetBias(linear.Bias?.index_select(0, tensor(channels)));
                linear.SetWrites(tensor(channels), 16);
            }
        }

        Assert.InRange((whole.Forward(TinyArchitectures.Prompt()) - chosen.Forward(TinyArchitectures.Prompt())).abs().max().ToDouble(), 0, 1e-5);
        Assert.True(CausalFolder.Save(chosen, folder));
        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(chosen.Forward(TinyArchitectures.Prompt()).Equals(loaded.Forward(TinyArchitectures.Prompt())));
    }

    [Fact]
    public void A_window_hides_what_lies_behind_it()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = TinyArchitectures.Create("mistral");
        model.RemoveBlocks([1, 2]);
        var changed = TinyArchitectures.Prompt().clone();
        changed[0, 0] = tensor(5L);

        var difference = (model.Forward(TinyArchitectures.Prompt()) - model.Forward(changed)).abs().amax([2L])[0];

        // A window of 4 holds a position and the three before it.
        Assert.True(difference[3].ToDouble() > 0);
        Assert.Equal(0, difference.narrow(0, 4, 4).max().ToDouble());
    }

    [Fact]
    public void Operations_of_a_forward_pass_are_counted()
    {
        using var model = TinyArchitectures.Create("llama");

        // 3 blocks: q and o 16·16, k and v 8·16, three of 24·16; 4 heads of 4; 4.5 keys on average over 8 positions; head 32·16.
        var products = 3 * (2 * 256 + 2 * 128 + 3 * 384) + 512;
        var attention = 3 * 4 * (4 + 4) * 4.5;
        Assert.Equal(2 * (products + attention), ModelFlops.PerToken(model, 8));
    }

    private sealed class Without(object skipped) : LinearHook
    {
        public List<Linear> Seen { get; } = [];

        public override bool Skips(object half) => half == skipped;

        public override Tensor Before(Linear linear, Tensor input)
        {
            Seen.Add(linear);
            return input;
        }
    }
}
