using System.Text.Json;

namespace Pipelines.Storage;

/// <param name="CacheKey">Names the result for whoever needs the same one.</param>
/// <param name="Reused">Whether it was found under its key instead of computed.</param>
internal sealed record StageResult(JsonElement Outputs, string CacheKey, bool Reused);
