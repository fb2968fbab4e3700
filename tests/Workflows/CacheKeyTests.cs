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
        CacheKey.Of(kind, version, JsonElement.Parse(parameters), JsonElement.Parse(inputs), source);
}
