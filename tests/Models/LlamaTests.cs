using System.Text.Json.Nodes;
using Pipelines.Activities.Finetuning;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>Properties of the model itself, on small random ones.</summary>
public sealed class LlamaTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pipelines-llama-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(4, 4)]
    [InlineData(4, 2)]
    [InlineData(4, 1)]
    public void Cutting_units_out_gives_what_zeroing_them_gives(int heads, int groups)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var masked = Create(heads, groups);
        using var cut = Create(heads, groups);
        int[] keptGroups = groups == 1 ? [0] : [.. Enumerable.Range(1, groups - 1)];
        int[] keptNeurons = [0, 3, 4, 9, 17];

        foreach (var (site, whole) in cut.Sites().Zip(masked.Sites()))
        {
            var kept = site.Kind == UnitKind.Neuron ? keptNeurons : keptGroups;
            Zero(whole.Reader, whole.ReaderChannels(kept));
            site.Keep(kept);
        }

        Assert.InRange((masked.Forward(Prompt()) - cut.Forward(Prompt())).abs().max().ToDouble(), 0, 1e-5);
        var (group, neuron) = (masked.Sites().First(), masked.Sites().Last());
        var removed = (groups - keptGroups.Length) * group.UnitParameters + (24 - keptNeurons.Length) * neuron.UnitParameters;
        Assert.Equal((16 / heads) * 16 * (2 * (heads / groups) + 2), group.UnitParameters);
        Assert.Equal(3 * 16, neuron.UnitParameters);
        Assert.Equal(masked.ParameterCount() - 2 * removed, cut.ParameterCount());
    }

    [Fact]
    public void Unequal_widths_and_added_biases_survive_saving()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = Create(4, 2);
        model.Sites().First().Keep([1]);
        model.Sites().Last().Keep([2, 5, 7]);
        foreach (var site in model.Sites())
            site.Reader.SetBias(rand(16));

        Assert.True(CausalFolder.Save(model, folder));

        using var loaded = CausalFolder.Load(folder, CPU);
        Assert.True(model.Forward(Prompt()).Equals(loaded.Forward(Prompt())));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!;
        Assert.Equal("kept", config["unknown_key"]!.GetValue<string>());
        Assert.Equal(ExportManifest.FileName, config["pipelines_manifest"]!.GetValue<string>());
    }

    [Fact]
    public void A_config_that_disagrees_with_its_tensors_is_refused()
    {
        using var model = Create(4, 2);
        CausalFolder.Save(model, folder);
        var path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"intermediate_size\": 24", "\"intermediate_size\": 32", StringComparison.Ordinal));

        var error = Assert.Throws<ModelException>(() => CausalFolder.Load(folder, CPU));

        Assert.Contains("'model.layers.0.mlp.gate_proj.weight' has shape [24, 16]; config.json asks for [32, 16]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"hidden_size\": \"big\"", "hidden_size is \"big\": expected a positive whole number")]
    [InlineData("\"model_type\": \"mamba\"", "model_type is 'mamba': expected llama, mistral, qwen2, opt, phi")]
    [InlineData("\"num_key_value_heads\": 3", "no multiple of num_key_value_heads, 3")]
    [InlineData("\"hidden_act\": \"mish\"", "hidden_act is 'mish': expected silu")]
    [InlineData("\"rope_scaling\": { \"rope_type\": \"yarn\" }", "rope_scaling is of type 'yarn'")]
    public void A_config_of_something_else_is_refused(string field, string says)
    {
        var json = Config(4, 2);
        var (name, value) = JsonNode.Parse($"{{ {field} }}")!.AsObject().Single();
        json[name] = value!.DeepClone();

        Assert.Contains(says, Assert.Throws<ModelException>(() => CausalConfig.Parse("config.json", json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fresh_adapter_changes_nothing_and_a_merged_one_what_it_did()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = Create(4, 2);
        foreach (var linear in model.Linears())
            linear.SetWeight(linear.Weight.masked_fill(rand_like(linear.Weight).lt(0.5), 0));
        var before = model.Forward(Prompt());
        var zeros_ = model.NonzeroCount();

        Adapters.Attach(model, rank: 2, alpha: 4, seed: 1, masked: true);
        Assert.InRange((model.Forward(Prompt()) - before).abs().max().ToDouble(), 0, 1e-6);
        foreach (var linear in model.Linears())
            linear.Adapter!.B.normal_();
        var adapted = model.Forward(Prompt());
        foreach (var linear in model.Linears())
        {
            linear.SetWeight(linear.Adapter!.Merge(linear.Weight));
            linear.Adapter = null;
        }

        Assert.InRange((model.Forward(Prompt()) - adapted).abs().max().ToDouble(), 0, 1e-4);
        Assert.True((adapted - before).abs().max().ToDouble() > 1e-3);
        Assert.Equal(zeros_, model.NonzeroCount());
    }

    [Fact]
    public void Training_lowers_the_loss_and_gives_the_same_bits_again()
    {
        var (loss, first) = Train();
        var (again, second) = Train();

        Assert.True(loss < 2, $"the loss is {loss}; it began near ln 32 = 3.47");
        Assert.Equal(loss, again);
        Assert.Equal(first, second);
    }

    private static (double Loss, byte[] Weights) Train()
    {
        using var scope = NewDisposeScope();
        using var model = Create(4, 2);
        var tokens = arange(8 * 12, dtype: ScalarType.Int64).remainder(8).view(8, 12);
        var trained = model.NamedParameters().Select(parameter => parameter.Tensor.requires_grad_()).ToArray();
        var loss = new TrainingLoop(60, 1e-2, 0).Run(
            model, trained, new TokenBatches(tokens, 4, 7), StageFolder.Unkept, TestContext.Current.CancellationToken);
        return (loss, model.Embedding.detach().bytes.ToArray());
    }

    private static void Zero(Linear linear, long[] kept)
    {
        var mask = ones([linear.Weight.shape[1]], dtype: ScalarType.Bool);
        mask.index_fill_(0, tensor(kept), 0);
        linear.SetWeight(linear.Weight.masked_fill(mask, 0));
    }

    private static Tensor Prompt() => arange(10, dtype: ScalarType.Int64).mul(3).remainder(32).view(2, 5);

    private static CausalLM Create(int heads, int groups) =>
        CausalFolder.Create(CausalConfig.Parse("test", Config(heads, groups)), seed: 3);

    private static JsonObject Config(int heads, int groups) => new()
    {
        ["model_type"] = "llama",
        ["hidden_size"] = 16,
        ["intermediate_size"] = 24,
        ["num_hidden_layers"] = 2,
        ["num_attention_heads"] = heads,
        ["num_key_value_heads"] = groups,
        ["vocab_size"] = 32,
        ["unknown_key"] = "kept",
    };
}
