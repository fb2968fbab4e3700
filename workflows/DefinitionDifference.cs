using System.Text.Json;

namespace Pipelines.Workflows;

/// <summary>What distinguishes two workflow documents, stage by stage and parameter by parameter.</summary>
/// <param name="Stages">By their path, as <c>sweep.prune</c>.</param>
/// <param name="Document">Of the document itself: its description, parameters, outputs.</param>
/// <param name="Moved">Whether stages stand elsewhere on the canvas.</param>
public sealed record DefinitionDifference(
    IReadOnlyList<StageDifference> Stages, IReadOnlyList<FieldDifference> Document, bool Moved)
{
    // Of these each member is a field of its own; deeper ones are compared as a whole.
    private static readonly string[] Opened = ["parameters", "inputs", "outputs"];

    /// <param name="before">Any object of JSON: a draft need not be right.</param>
    public static DefinitionDifference Of(JsonElement before, JsonElement after)
    {
        var (old, now) = (Walk(before), Walk(after));
        var stages = new List<StageDifference>();
        foreach (var path in now.Keys.Union(old.Keys))
        {
            var (from, to) = (Member(old, path), Member(now, path));
            var fields = Fields(from, to, "id", "stages");
            if (from is null || to is null)
                stages.Add(new StageDifference(path, from is null ? StageChange.Added : StageChange.Removed, fields));
            else if (fields.Count > 0)
                stages.Add(new StageDifference(path, StageChange.Changed, fields));
        }

        return new DefinitionDifference(
            stages, Fields(before, after, "stages", "layout"), !Equal(Property(before, "layout"), Property(after, "layout")));
    }

    private static Dictionary<string, JsonElement> Walk(JsonElement document)
    {
        var found = new Dictionary<string, JsonElement>();
        Add(document, "");
        return found;

        void Add(JsonElement around, string prefix)
        {
            if (Property(around, "stages") is not { ValueKind: JsonValueKind.Array } stages)
                return;
            foreach (var stage in stages.EnumerateArray())
            {
                if (Property(stage, "id") is not { ValueKind: JsonValueKind.String } id)
                    continue;
                found[prefix + id.GetString()] = stage;
                Add(stage, $"{prefix}{id.GetString()}.");
            }
        }
    }

    private static List<FieldDifference> Fields(JsonElement? before, JsonElement? after, params string[] left)
    {
        var (old, now) = (Flatten(before, left), Flatten(after, left));
        return
        [
            .. from field in old.Keys.Union(now.Keys)
               let change = new FieldDifference(field, Member(old, field), Member(now, field))
               where !Equal(change.Before, change.After)
               select change,
        ];
    }

    private static Dictionary<string, JsonElement> Flatten(JsonElement? value, string[] left)
    {
        var fields = new Dictionary<string, JsonElement>();
        if (value is not { ValueKind: JsonValueKind.Object } members)
            return fields;
        foreach (var member in members.EnumerateObject().Where(member => !left.Contains(member.Name)))
        {
            if (!Opened.Contains(member.Name) || member.Value.ValueKind != JsonValueKind.Object)
            {
                fields[member.Name] = member.Value;
                continue;
            }

            foreach (var inner in member.Value.EnumerateObject())
                fields[$"{member.Name}.{inner.Name}"] = inner.Value;
        }

        return fields;
    }

    private static JsonElement? Property(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var found) ? found : null;

    private static JsonElement? Member(Dictionary<string, JsonElement> members, string name) =>
        members.TryGetValue(name, out var found) ? found : null;

    private static bool Equal(JsonElement? a, JsonElement? b) =>
        a is { } one && b is { } other ? JsonElement.DeepEquals(one, other) : a is null && b is null;
}

/// <param name="Fields">Those that changed; of a stage that was added or removed, all.</param>
public sealed record StageDifference(string Path, StageChange Change, IReadOnlyList<FieldDifference> Fields);

/// <param name="Field">As <c>parameters.sparsity</c>.</param>
/// <param name="Before">Null when there was none.</param>
public sealed record FieldDifference(string Field, JsonElement? Before, JsonElement? After);

public enum StageChange
{
    Added,
    Removed,
    Changed,
}
