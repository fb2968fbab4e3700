using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>
/// The workflow's parameters as Elsa's inputs and variables. What an input cannot say (a default, that a text is a path)
/// stands in the bag, by name.
/// </summary>
internal static class ElsaParameters
{
    /// <param name="notes">What has no place among our parameters.</param>
    public static JsonObject? Read(JsonObject workflow, JsonObject? bag, List<string> notes)
    {
        var parameters = new JsonObject();
        foreach (var (list, word) in new[] { ("inputs", "input"), ("variables", "variable") })
        {
            foreach (var entry in workflow[list].AsList() ?? [])
            {
                if (entry.Text("name") is not { Length: > 0 } name)
                    notes.Add($"{(list == "inputs" ? "an" : "a")} {word} without a name is kept, and is no parameter");
                else if (parameters.ContainsKey(name))
                    notes.Add($"the {word} '{name}' is kept, and is no parameter: another has this name");
                else if (View((JsonObject)entry!, list, bag.Member("parameters")?[name]) is { } view)
                    parameters[name] = view;
                else
                    notes.Add($"the {word} '{name}' ({TypeName((JsonObject)entry!, list)}) is kept, and is no parameter: {Why(list)}");
            }
        }

        return parameters.Count > 0 || bag.Member("parameters") is not null ? parameters : null;
    }

    public static void Put(JsonObject workflow, JsonObject bag, JsonObject? before, JsonObject? now)
    {
        var (old, wanted) = (before ?? [], now ?? []);
        var extras = bag["parameters"] as JsonObject ?? [];
        foreach (var name in old.Select(member => member.Key).Where(name => !wanted.ContainsKey(name)).ToArray())
        {
            extras.Remove(name);
            if (Find(workflow, name) is var (list, entry))
                workflow[list].AsList()!.Remove(entry);
        }

        foreach (var (name, parameter) in wanted)
        {
            if (!Nodes.Same(old[name], parameter))
                Put(workflow, extras, name, parameter!.AsObject());
        }

        bag.Put("parameters", extras.Count > 0 || now is { Count: 0 } ? extras : null);
    }

    private static void Put(JsonObject workflow, JsonObject extras, string name, JsonObject parameter)
    {
        if (Find(workflow, name) is not var (list, entry))
        {
            (list, entry) = ("inputs", new JsonObject { ["type"] = "", ["name"] = name, ["displayName"] = name });
            if (workflow["inputs"].AsList() is null)
                workflow["inputs"] = new JsonArray();
            workflow["inputs"].AsList()!.Add((JsonNode)entry);
        }

        extras.Remove(name);
        var type = parameter["type"]!.Deserialize<ParameterType>(Json.Options);
        if (ElsaInput.TypeOf(TypeName(entry, list), IsList(entry)) is not { } is_ || is_ != (type == ParameterType.Path ? ParameterType.Text : type))
        {
            entry[list == "inputs" ? "type" : "typeName"] = ElsaTypeName(type);
            entry["isArray"] = type == ParameterType.List;
        }

        if (list == "inputs")
            entry.Put("description", parameter["description"]);
        else if (Literal(parameter["default"]) is { } literal)
            entry["value"] = literal;

        // What did not come out so is said in so many words.
        var read = View(entry, list, null);
        if (Nodes.Same(read, parameter))
            return;
        var extra = new JsonObject();
        foreach (var member in new[] { "type", "default", "description" })
        {
            if (!Nodes.Same(read?[member], parameter[member]) && parameter.TryGetPropertyValue(member, out var value))
                extra[member] = value?.DeepClone();
        }

        if (list == "variables" && parameter["default"] is null)
            entry.Remove("value");
        extras[name] = extra;
    }

    private static JsonObject? View(JsonObject entry, string list, JsonNode? extra)
    {
        if (ElsaInput.TypeOf(TypeName(entry, list), IsList(entry)) is not { } type)
            return null;
        JsonNode? standard = null;
        var hasValue = list == "variables" && TryValue(entry, type, out standard);
        if (list == "variables" && !hasValue && extra is not JsonObject)
            return null;
        var parameter = new JsonObject { ["type"] = Nodes.ToNode(type) };
        if (hasValue)
            parameter["default"] = standard?.DeepClone();
        if (list == "inputs" && entry.Text("description") is { } description)
            parameter["description"] = description;
        foreach (var (name, value) in extra as JsonObject ?? [])
            parameter[name] = value?.DeepClone();
        return parameter;
    }

    /// <summary>A variable's value is a text, whatever its type.</summary>
    private static bool TryValue(JsonObject variable, ParameterType type, out JsonNode? value)
    {
        value = variable["value"];
        if (value.AsText() is not { } text)
            return value is not null && Fits(type, value);
        if (type == ParameterType.List)
            return ElsaText.TryParse(text, out value) && value is JsonArray;
        value = ElsaInput.Typed(value, variable.Text("typeName"));
        return Fits(type, value);
    }

    private static bool Fits(ParameterType type, JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.String => type == ParameterType.Text,
        JsonValueKind.Number => type is ParameterType.Integer or ParameterType.Number,
        JsonValueKind.True or JsonValueKind.False => type == ParameterType.Boolean,
        JsonValueKind.Array => type == ParameterType.List,
        _ => false,
    };

    private static string? Literal(JsonNode? value) => value is null ? null : value.AsText() ?? value.ToJsonString(Json.Options);

    private static (string List, JsonObject Entry)? Find(JsonObject workflow, string name)
    {
        foreach (var list in new[] { "inputs", "variables" })
        {
            if ((workflow[list].AsList() ?? []).FirstOrDefault(entry => entry.Text("name") == name) is JsonObject entry)
                return (list, entry);
        }

        return null;
    }

    private static string? TypeName(JsonObject entry, string list) => entry.Text(list == "inputs" ? "type" : "typeName");

    private static bool IsList(JsonObject entry) => entry["isArray"]?.GetValueKind() == JsonValueKind.True;

    private static string ElsaTypeName(ParameterType type) => type switch
    {
        ParameterType.Integer => "Int64",
        ParameterType.Number => "Double",
        ParameterType.Boolean => "Boolean",
        ParameterType.List => "Object",
        _ => "String",
    };

    private static string Why(string list) => list == "inputs"
        ? "no parameter has such a type"
        : "no parameter has such a type, or it has no value to begin with";
}
