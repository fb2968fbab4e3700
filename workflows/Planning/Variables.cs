using System.Collections.Immutable;
using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>What the names of one part mean in a scope: parameters, the values of matrices, the round.</summary>
/// <param name="Values">By name.</param>
/// <param name="Missing">Names that should have a value and have none, which was said.</param>
internal sealed record Variables(ImmutableDictionary<string, JsonElement> Values, ImmutableHashSet<string> Missing)
{
    public static Variables None { get; } = new(ImmutableDictionary<string, JsonElement>.Empty, []);

    public bool Knows(string name) => Values.ContainsKey(name) || Missing.Contains(name);

    public Variables With(string name, JsonElement? value) => value is { } known
        ? this with { Values = Values.SetItem(name, known) }
        : this with { Missing = Missing.Add(name) };
}
