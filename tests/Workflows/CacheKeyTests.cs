using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

public sealed class CacheKeyTests
{
    private const string Parameters = """{"a":1,"b":{"c":[1,2],"d":"x"}}""";

    [Fact]
    public void Does_not_depend_on_the_order_of_properties() =>
        Assert.Equal(Key(parameters: Parameters), Key(parameters: """{"b":{"d":"x","c":[1,2]},"a":1}"""));

    [Fact]
    public void Depends_on_everything_that_decides_the_result()
    {
        string[] keys =
        [
            Key(), Key(kind: "toy.other"), Key(version: 2), Key(parameters: """{"a":2}"""),
            Key(inputs: """{"model":"sha256:1"}"""), Key(source: "f 10 17"),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Matches("^[0-9a-f]{64}$", key));
    }

    private static string Key(
        string kind = "toy.add", int version = 1, string parameters = Parameters, string inputs = "{}", string? source = null) =>
        Of(kind, version, parameters, inputs, source).Name;

    private static CacheKey Of(
        string kind = "toy.add", int version = 1, string parameters = Parameters, string inputs = "{}", string? source = null) =>
        CacheKey.Of(kind, version, JsonElement.Parse(parameters), JsonElement.Parse(inputs), source);

    [Fact]
    public void Says_which_of_its_parts_are_not_as_they_were()
    {
        var before = Of(parameters: """{"sparsity":0.5,"seed":1,"old":true}""", inputs: """{"model":"a","data":"b"}""", source: "f 1");
        var now = Of(version: 2, parameters: """{"seed":1,"sparsity":0.6}""", inputs: """{"model":"c","data":"b"}""", source: "f 2");

        Assert.Equal(
            "toy.add has version 2, had 1; sparsity is 0.6, was 0.5; old is not there, was true; its input 'model' is another; "
            + "the files that it reads have changed",
            now.Difference(before));
        Assert.Equal("", before.Difference(Json.Read<CacheKey>(Json.Write(before))));
    }

    [Fact]
    public void A_long_value_is_cut_but_a_change_at_its_end_is_seen()
    {
        var text = new string('x', 200);

        var difference = Of(parameters: $$"""{"text":"{{text}}a"}""").Difference(Of(parameters: $$"""{"text":"{{text}}b"}"""));

        Assert.True(difference.Length is > 100 and < 200, difference);
    }
}
