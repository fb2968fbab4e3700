using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>One item of a port that takes a list: an <c>IReadOnlyList&lt;Branch&lt;Measurement&gt;&gt;</c> has the type <c>measurement[]</c>.</summary>
/// <param name="Stage">The stage that made it: <c>sweep.2.evaluate</c>.</param>
/// <param name="Variables">The values that the matrix had there, and the round.</param>
public sealed record Branch<T>(string Stage, IReadOnlyDictionary<string, JsonElement> Variables, T Value);
