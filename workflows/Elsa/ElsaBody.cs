using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>
/// An Elsa that does not know an activity's type keeps the activity as text in one of its own,
/// <c>Elsa.NotFoundActivity</c>: ours, when they come back from there.
/// </summary>
internal static class ElsaBody
{
    private const string NotFound = "Elsa.NotFoundActivity";
    private const string Original = "originalActivityJson";
    /// <summary>The activity that is meant: itself, or one of ours inside. Changes of that one must be put back.</summary>
    public static JsonObject Of(JsonObject activity) =>
        activity.Text("type") == NotFound && activity.Text(Original) is { } text
        && ElsaText.TryParse(text, out var node) && node is JsonObject original
        && original.Text("type")?.StartsWith(ElsaActivity.OursPrefix, StringComparison.Ordinal) == true
            ? original
            : activity;

    /// <param name="opened">What <see cref="Of"/> gave.</param>
    /// <param name="body">What stands for it now: the same, changed, or another.</param>
    public static void Replace(JsonObject activity, JsonObject opened, JsonObject body)
    {
        if (!ReferenceEquals(opened, activity))
        {
            activity[Original] = body.ToJsonString(Json.Options);
            return;
        }

        if (ReferenceEquals(body, activity))
            return;
        activity.Clear();
        foreach (var (name, value) in body)
            activity[name] = value?.DeepClone();
    }
}
