using System.Text.Json;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <param name="Key">Names the result for whoever needs the same one.</param>
/// <param name="Reused">Whether it was found under its key instead of computed.</param>
/// <param name="Reason">Why it was computed although an earlier run had this stage; null when none had.</param>
internal sealed record StageResult(JsonElement Outputs, CacheKey Key, bool Reused, string? Reason);
