using System.Text.Json;
using System.Text.Json.Nodes;
using Pipelines.Tests.Models;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;

namespace Pipelines.Tests.Workflows.Elsa;

/// <summary>Elsa workflows of others, and how two of them are compared.</summary>
internal static class ElsaFiles
{
    public static readonly string[] Samples = ["core-flowchart-completion-workflow3.json", "guides-get-user.json"];

    public static string Sample(string name) => SharedFiles.Text($"data/elsa/{name}");

    /// <summary>Properties in one order, numbers as they are written: two texts are equal when nothing else differs.</summary>
    public static string Canonical(string json) => Canonical(JsonNode.Parse(json));

    public static string Canonical(JsonNode? node) => node switch
    {
        JsonObject members => "{" + string.Join(",", members.OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => $"\n{JsonSerializer.Serialize(member.Key)}:{Canonical(member.Value)}")) + "}",
        JsonArray items => "[" + string.Join(",", items.Select(Canonical)) + "]",
        null => "null",
        _ => node.ToJsonString(),
    };

    public static string RoundTrip(string elsa)
    {
        var definition = ElsaImport.Read(elsa).Definition;
        // As it lies in a file or in the database.
        var stored = Json.Read<WorkflowDefinition>(Json.Pretty(definition));
        return ElsaExport.Write(stored);
    }

    public static void SurvivesUnchanged(string elsa) => Assert.Equal(Canonical(elsa), Canonical(RoundTrip(elsa)));

    public static string Text(WorkflowDefinition definition) => Canonical(Json.Pretty(definition));
}
