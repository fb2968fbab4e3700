using System.Text.Json.Nodes;
using Pipelines.Models;

namespace Pipelines.Tests.Models;

public sealed class CausalConfigTests
{
    /// <summary>A config that a program puts together holds numbers of its own types; one from a file holds text.</summary>
    [Fact]
    public void A_number_may_be_a_whole_one_wherever_the_config_comes_from()
    {
        var made = Config();
        made["rope_theta"] = 50_000;
        made["rope_scaling"] = new JsonObject { ["rope_type"] = "linear", ["factor"] = 4L };

        foreach (var json in new[] { made, JsonNode.Parse(made.ToJsonString())!.AsObject() })
        {
            var config = CausalConfig.Parse("config.json", json);
            Assert.Equal(50_000, config.RopeTheta);
            Assert.Equal(new RopeScaling.Linearly(4), config.RopeScaling);
        }
    }

    [Fact]
    public void What_is_no_number_is_refused_by_its_field()
    {
        var json = Config();
        json["rope_theta"] = "50000";

        var error = Assert.Throws<ModelException>(() => CausalConfig.Parse("config.json", json));

        Assert.Equal("config.json: rope_theta is \"50000\": expected a number", error.Message);
    }

    private static JsonObject Config() => new()
    {
        ["model_type"] = "llama",
        ["hidden_size"] = 16,
        ["intermediate_size"] = 24,
        ["num_hidden_layers"] = 1,
        ["num_attention_heads"] = 4,
        ["vocab_size"] = 32,
    };
}
