using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>What an activity says of the stage that it stands for.</summary>
/// <param name="Stage">As in our document, without its id and what is kept of Elsa's.</param>
/// <param name="Place">Where it is drawn.</param>
/// <param name="Notes">What of it has no meaning here.</param>
internal sealed record ActivityView(JsonObject Stage, JsonNode? Place, IReadOnlyList<string> Notes);

/// <summary>
/// An activity of Elsa's as a stage of ours. What is ours (<c>Pipelines.prune.wanda</c>) has its parameters as Elsa's inputs
/// and the rest of the stage in <c>customProperties.pipelines</c>; everything else is a placeholder.
/// </summary>
internal static class ElsaActivity
{
    public const string OursPrefix = "Pipelines.";
    public const string Placeholder = "elsa.";
    public const string Bag = "pipelines";

    private const string TheirsPrefix = "Elsa.";
    private const string Group = OursPrefix + "Group";
    private const string Workflow = OursPrefix + "Workflow";

    /// <summary>Never in the bag: they have places of their own, or are no property of the stage.</summary>
    private static readonly string[] NotInBag = ["id", "elsa", "kind", "description", "parameters"];

    public static bool IsPlaceholder(JsonObject stage) => stage.Text("kind")?.StartsWith(Placeholder, StringComparison.Ordinal) == true;

    public static ActivityView Read(JsonObject activity)
    {
        var body = ElsaBody.Of(activity);
        var type = body.Text("type") ?? "";
        var notes = new List<string>();
        var ours = type.StartsWith(OursPrefix, StringComparison.Ordinal);
        var stage = new JsonObject();
        var bag = body.Member("customProperties").Member(Bag);
        if (ours && Foreign(body) is { } foreign)
        {
            notes.Add($"its input '{foreign}' is to be computed by Elsa: it is kept as a placeholder");
            ours = false;
        }

        if (bag is not null && Unreadable(bag) is { } fault)
        {
            notes.Add($"customProperties.{Bag} cannot be read ({fault}): {(ours ? "it is kept as a placeholder" : "it is kept")}");
            (bag, ours) = (null, false);
        }

        if (!ours)
            stage["kind"] = PlaceholderKind(type);
        else if (type is not (Group or Workflow))
            stage["kind"] = type[OursPrefix.Length..];
        if (body.Member("metadata").Text("description") is { } description)
            stage["description"] = description;
        foreach (var (name, value) in bag ?? [])
        {
            if (name is not ("layout" or "parameters"))
                stage[name] = value?.DeepClone();
        }

        if (ElsaParts.Parameters(body, bag) is { } parameters)
            stage["parameters"] = parameters;
        return new ActivityView(Normal(stage), bag?["layout"] ?? ElsaParts.Position(activity) ?? ElsaParts.Position(body), notes);
    }

    /// <summary>An activity for a stage that Elsa has not seen.</summary>
    public static JsonObject Fresh(JsonObject stage, JsonNode? place, string id, string root)
    {
        var activity = new JsonObject
        {
            ["id"] = id,
            ["nodeId"] = $"Workflow1:{root}:{id}",
            ["name"] = stage.Text("id"),
            ["type"] = TypeOf(stage),
            ["version"] = 1,
            ["customProperties"] = new JsonObject { ["canStartWorkflow"] = false, ["runAsynchronously"] = false },
            ["metadata"] = new JsonObject(),
        };
        Put(activity, [], null, stage, place);
        return activity;
    }

    /// <summary>Brings what differs between two views of the stage into its activity, and nothing else.</summary>
    public static void Put(JsonObject activity, JsonObject before, JsonNode? placeBefore, JsonObject now, JsonNode? place)
    {
        var opened = ElsaBody.Of(activity);
        var body = opened;
        if (before.Count > 0 && TypeOf(before) != TypeOf(now))
            (body, before) = (Retyped(body, now), Only(before, "description"));
        var bag = body.Member("customProperties").Member(Bag)?.DeepClone() as JsonObject ?? [];
        var untouched = bag.DeepClone();

        if (!Nodes.Same(before["kind"], now["kind"]) && KindOf(body.Text("type")!) != now.Text("kind"))
            bag["kind"] = now.Text("kind");
        foreach (var name in before.Concat(now).Select(member => member.Key).Distinct().Except(NotInBag).ToArray())
        {
            // The connections of a placeholder say what feeds it.
            if (!Nodes.Same(before[name], now[name]) && !(name == "inputs" && IsPlaceholder(now)))
                bag.Put(name, now[name]);
        }

        if (!Nodes.Same(before["description"], now["description"]))
            body.Make("metadata").Put("description", now["description"]);
        if (!Nodes.Same(before["parameters"], now["parameters"]))
            ElsaParts.PutParameters(body, bag, before["parameters"], now["parameters"]);
        if (!Nodes.Same(placeBefore, place))
            ElsaParts.PutPosition(activity, bag, place);
        if (!Nodes.Same(untouched, bag))
            ElsaParts.PutBag(body, bag);
        if (!Nodes.Same(ElsaBody.Of(activity), body))
            ElsaBody.Replace(activity, opened, body);
    }

    /// <summary>What feeds a placeholder, where its connections cannot say it; null where they can.</summary>
    public static void PutInputs(JsonObject activity, JsonNode? inputs)
    {
        var opened = ElsaBody.Of(activity);
        var body = opened;
        var bag = body.Member("customProperties").Member(Bag)?.DeepClone() as JsonObject ?? [];
        bag.Put("inputs", inputs);
        ElsaParts.PutBag(body, bag);
        ElsaBody.Replace(activity, opened, body);
    }

    private static string PlaceholderKind(string type) =>
        Placeholder + (type.StartsWith(TheirsPrefix, StringComparison.Ordinal) ? type[TheirsPrefix.Length..] : type);

    private static string? KindOf(string type) => type switch
    {
        Group or Workflow => null,
        _ when type.StartsWith(OursPrefix, StringComparison.Ordinal) => type[OursPrefix.Length..],
        _ => PlaceholderKind(type),
    };

    private static string TypeOf(JsonObject stage) => stage.Text("kind") switch
    {
        null => stage.ContainsKey("workflow") ? Workflow : Group,
        { } kind when kind.StartsWith(Placeholder, StringComparison.Ordinal) => TheirsPrefix + kind[Placeholder.Length..],
        { } kind => OursPrefix + kind,
    };

    /// <summary>The same place in the graph for another activity: its inputs are not those of the one before.</summary>
    private static JsonObject Retyped(JsonObject body, JsonObject now)
    {
        var made = new JsonObject { ["type"] = TypeOf(now), ["version"] = 1 };
        foreach (var name in new[] { "id", "nodeId", "name", "metadata" })
        {
            if (body.TryGetPropertyValue(name, out var value))
                made[name] = value?.DeepClone();
        }

        var custom = body.Member("customProperties")?.DeepClone() as JsonObject ?? [];
        custom.Remove(Bag);
        made["customProperties"] = custom;
        return made;
    }

    private static JsonObject Only(JsonObject stage, string name) =>
        stage[name] is { } value ? new JsonObject { [name] = value.DeepClone() } : [];

    private static string? Foreign(JsonObject body) => body
        .Where(property => ElsaParts.MayBeParameter(property.Key))
        .FirstOrDefault(property => ElsaInput.Read(property.Value, out _) == ElsaInput.Found.Foreign).Key;

    private static string? Unreadable(JsonObject bag)
    {
        if (bag.ContainsKey("id") || bag.ContainsKey("elsa"))
            return "it has an id or an elsa";
        var stage = bag.DeepClone().AsObject();
        stage.Remove("layout");
        stage["id"] = "stage";
        try
        {
            var read = stage.Deserialize<StageDefinition>(Json.Options)!;
            return Planning.DocumentHoles.Of(new WorkflowDefinition("workflow", [read])).Select(hole => $"{hole} is null").FirstOrDefault();
        }
        catch (JsonException error)
        {
            return error.Message.Split(" Path:")[0].TrimEnd('.');
        }
    }

    /// <summary>As our own writer writes it, so that what means the same is the same.</summary>
    private static JsonObject Normal(JsonObject stage)
    {
        stage["id"] = "stage";
        var normal = Nodes.ToNode(stage.Deserialize<StageDefinition>(Json.Options))!.AsObject();
        normal.Remove("id");
        return normal;
    }
}
