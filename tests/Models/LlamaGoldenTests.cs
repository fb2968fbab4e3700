using System.Text.Json.Nodes;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Models;

/// <summary>Against the numbers of another implementation (golden/README.md says which).</summary>
public sealed class LlamaGoldenTests
{
    [Theory]
    [InlineData("llama-tiny")]
    [InlineData("llama-tiny-trained")]
    [InlineData("llama-tiny-mha-trained")]
    public void Logits_are_those_of_the_reference(string name)
    {
        using var model = Load(name);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();

        var logits = model.Forward(golden.View("input_ids"));

        Assert.InRange((logits.to(ScalarType.Float64) - golden.View("logits64")).abs().max().ToDouble(), 0, 2e-5);
    }

    [Theory]
    [InlineData("llama-hd128")] // stored in bfloat16, run in float32
    public void Logits_of_a_half_precision_file_are_those_of_its_rounded_weights(string name)
    {
        using var model = Load(name, ScalarType.Float32);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();

        var logits = model.Forward(golden.View("input_ids"));

        Assert.InRange((logits.to(ScalarType.Float64) - golden.View("logits64")).abs().max().ToDouble(), 0, 2e-5);
    }

    [Theory]
    [InlineData("llama-tiny-bf16", 0.02)]
    [InlineData("llama-tiny-fp16", 0.0025)]
    public void Logits_in_half_precision_are_the_reference_s_to_its_rounding(string name, double tolerance)
    {
        using var model = Load(name);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();

        var logits = model.Forward(golden.View("input_ids")).to(ScalarType.Float64);

        var expected = golden.View("logits").to(ScalarType.Float64);
        Assert.InRange((logits - expected).norm().ToDouble() / expected.norm().ToDouble(), 0, tolerance);
    }

    /// <summary>The reference masks what pads a row on the left and counts its positions from the first real token.</summary>
    [Theory]
    [InlineData("llama-tiny")]
    [InlineData("llama-tiny-trained")]
    public void A_row_by_itself_gives_what_the_reference_makes_of_it_padded(string name)
    {
        const int padding = 10;
        using var model = Load(name);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var tokens = golden.View("input_ids");

        var logits = model.Forward(tokens.narrow(0, 1, 1).narrow(1, padding, tokens.shape[1] - padding));

        var padded = golden.View("padded.logits").narrow(0, 1, 1).narrow(1, padding, tokens.shape[1] - padding);
        Assert.InRange((logits - padded).abs().max().ToDouble(), 0, 5e-5);
    }

    [Fact]
    public void Shards_give_the_same_bits_as_one_file()
    {
        using var one = Load("llama-tiny");
        using var sharded = Load("llama-tiny-sharded");

        foreach (var ((name, expected), (otherName, got)) in one.NamedParameters().Zip(sharded.NamedParameters()))
        {
            Assert.Equal(name, otherName);
            Assert.True(expected.Equals(got), name);
        }
    }

    [Fact]
    public void Hidden_states_are_those_of_the_reference()
    {
        using var model = Load("llama-tiny-trained");
        using var golden = SafetensorsFile.Open(Golden.Path("forward/llama-tiny-trained.safetensors"));
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var tokens = golden.View("input_ids");

        var hidden = model.Embed(tokens);
        for (var layer = 0; layer < model.Blocks.Count; layer++)
        {
            Assert.InRange((hidden - golden.View($"hidden.{layer}")).abs().max().ToDouble(), 0, 2e-5);
            hidden = model.Blocks[layer].Forward(hidden, model.Positions(tokens.shape[1]));
        }

        // Hugging Face gives the last one after the final norm.
        var last = model.Norm.Forward(hidden);
        Assert.InRange((last - golden.View($"hidden.{model.Blocks.Count}")).abs().max().ToDouble(), 0, 2e-5);
    }

    [Theory]
    [InlineData("llama-tiny-trained")]
    [InlineData("llama-tiny-mha-trained")]
    public void Gradients_are_those_of_the_reference(string name)
    {
        using var model = Load(name);
        using var golden = SafetensorsFile.Open(Golden.Path($"forward/{name}.grads.safetensors"));
        using var scope = NewDisposeScope();
        var parameters = model.NamedParameters().ToArray();
        foreach (var (_, parameter) in parameters)
            parameter.requires_grad_();

        model.NextTokenLoss(Golden.Tokens("calib").narrow(0, 0, 8)).backward();

        foreach (var (parameter, tensor) in parameters)
        {
            var expected = golden.View(parameter);
            var scale = expected.abs().max().ToDouble();
            Assert.InRange((tensor.grad! - expected).abs().max().ToDouble(), 0, 1e-4 * Math.Max(scale, 1e-3));
        }
    }

    [Theory]
    [InlineData("llama-tiny")]
    [InlineData("llama-tiny-trained")]
    [InlineData("llama-tiny-mha-trained")]
    [InlineData("llama-hd128")]
    public void Greedy_tokens_are_those_of_the_reference(string name)
    {
        using var model = Load(name, ScalarType.Float32);
        using var scope = NewDisposeScope();
        var prompt = Golden.Tokens("prompt")[0].narrow(0, 0, 16);

        Assert.Equal(
            Summary(name)["greedy_24_from_prompt0_first16"]!.AsArray().Select(token => token!.GetValue<long>()),
            model.Generate(prompt, 24));
    }

    [Theory]
    [InlineData("llama-tiny", 64)]
    [InlineData("llama-tiny-trained", 64)]
    [InlineData("llama-tiny-trained", 128)]
    [InlineData("llama-tiny-trained", 256)]
    [InlineData("llama-tiny-mha-trained", 64)]
    [InlineData("llama-hd128", 64)]
    public void Perplexity_is_that_of_the_reference(string name, int length)
    {
        using var model = Load(name, ScalarType.Float32);

        var expected = Summary(name)["wanda_eval_ppl"]![$"seqlen{length}"]!.GetValue<double>();
        Assert.Equal(1, Golden.Perplexity(model, length) / expected, 1e-4);
    }

    private static CausalLM Load(string name, ScalarType? dtype = null) =>
        CausalFolder.Load(Golden.Path($"models/{name}"), CPU, dtype);

    private static JsonNode Summary(string name) =>
        JsonNode.Parse(File.ReadAllText(Golden.Path("forward/summary.json")))![name]!;
}
