using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>One stage on its way out.</summary>
/// <param name="Stage">As it is now.</param>
/// <param name="Before">As it was imported; null for a new one.</param>
/// <param name="Id">Elsa's.</param>
internal sealed record ElsaNode(JsonObject Stage, JsonObject? Before, KeptStage? Kept, string Id, JsonObject Activity)
{
    public string Name => Stage.Text("id")!;

    public bool IsPlaceholder => ElsaActivity.IsPlaceholder(Stage);
}

/// <summary>The activities and connections of a flowchart, brought to what the stages say.</summary>
internal static class ElsaGraph
{
    /// <summary>One that stands alone is a list of one.</summary>
    public static IEnumerable<JsonNode?> ConnectionsOf(JsonObject root) =>
        root["connections"] is { } given ? given.AsList() ?? (IEnumerable<JsonNode?>)[given] : [];

    /// <param name="existed">The ids of the activities that the flowchart had.</param>
    public static void Put(JsonObject root, IReadOnlyList<ElsaNode> nodes, IReadOnlySet<string> existed)
    {
        var before = ConnectionsOf(root).ToList();
        var byTarget = before.Select(node => (Node: node, Read: ElsaConnection.Read(node)))
            .Where(pair => pair.Read is not null).ToLookup(pair => pair.Read!.Target, StringComparer.Ordinal);
        var idOf = Ids(nodes, node => node.Name);
        var idOfOld = Ids(nodes.Where(node => node.Kept?.Activity.Text("id") == node.Id), node => node.Kept!.Name);
        var known = idOfOld.Values.ToHashSet(StringComparer.Ordinal);
        var gone = existed.Except(nodes.Select(node => node.Id)).ToHashSet(StringComparer.Ordinal);

        var dropped = new HashSet<JsonNode>(ReferenceEqualityComparer.Instance);
        var added = new List<(JsonObject Node, string Source, string Target)>();
        foreach (var (connection, read) in byTarget.SelectMany(group => group))
        {
            if (gone.Contains(read!.Source) || gone.Contains(read.Target))
                dropped.Add(connection!);
        }

        foreach (var node in nodes)
        {
            var kept = byTarget[node.Id].Select(pair => (pair.Node, Edge: ElsaEdges.Of(pair.Read!, node.IsPlaceholder), pair.Read)).ToList();
            var now = ElsaEdges.Of(node.Stage, idOf, node.IsPlaceholder);
            var old = Old(node, kept.Select(one => one.Read!), idOfOld, known);
            foreach (var one in kept.Where(one => old.Contains(one.Edge) && !now.Contains(one.Edge)))
                dropped.Add(one.Node!);
            foreach (var edge in now.Except(old).Except(kept.Select(one => one.Edge)).Where(edge => edge.Source != node.Id || node.IsPlaceholder))
            {
                added.Add((ElsaConnection.Write(
                    edge.Source, edge.SourcePort ?? ElsaConnection.Done, node.Id, edge.TargetPort ?? ElsaConnection.In), edge.Source, node.Id));
            }
        }

        if (dropped.Count > 0 || added.Count > 0)
        {
            // In the shape that it had, where that is a list.
            if (root["connections"].AsList() is not { } list)
                root["connections"] = list = [];
            list.Clear();
            foreach (var connection in before.Where(one => one is null || !dropped.Contains(one)))
                list.Add(connection?.DeepClone());
            added.ForEach(connection => list.Add((JsonNode)connection.Node));
        }

        // What a connection names must have its id written down.
        var named = added.SelectMany(connection => new[] { connection.Source, connection.Target }).ToHashSet(StringComparer.Ordinal);
        foreach (var node in nodes.Where(node => named.Contains(node.Id) && node.Activity.Text("id") is null))
            node.Activity["id"] = node.Id;
        CheckInputs(root, nodes);
    }

    private static HashSet<ElsaEdge> Old(ElsaNode node, IEnumerable<ElsaConnection> kept, Dictionary<string, string> idOfOld, HashSet<string> known)
    {
        // A copy has nothing of its own yet.
        if (node.Before is null || node.Kept!.Activity.Text("id") != node.Id)
            return [];
        var fromConnections = ElsaActivity.IsPlaceholder(node.Before) && !node.Before.ContainsKey("inputs");
        return fromConnections
            ? [.. kept.Where(one => ElsaEdges.CanBeShown(one) && known.Contains(one.Source)).Select(one => ElsaEdges.Of(one, node.IsPlaceholder))]
            : ElsaEdges.Of(node.Before, idOfOld, node.IsPlaceholder);
    }

    /// <summary>What feeds a placeholder in a way that connections do not say is written at its activity.</summary>
    private static void CheckInputs(JsonObject root, IReadOnlyList<ElsaNode> nodes)
    {
        var stageOf = nodes.Where(node => node.Activity.Text("id") is not null)
            .ToDictionary(node => node.Id, node => node.Name, StringComparer.Ordinal);
        var byTarget = ConnectionsOf(root).Select(ElsaConnection.Read).OfType<ElsaConnection>().ToLookup(read => read.Target, StringComparer.Ordinal);
        foreach (var node in nodes.Where(node => node.IsPlaceholder))
        {
            var derived = ElsaEdges.Inputs(byTarget[node.Id], stageOf);
            var written = ElsaActivity.Read(node.Activity).Stage["inputs"];
            var wanted = node.Stage["inputs"];
            if (!Nodes.Same(written ?? derived, wanted))
                ElsaActivity.PutInputs(node.Activity, Nodes.Same(derived, wanted) ? null : wanted ?? new JsonObject());
        }
    }

    private static Dictionary<string, string> Ids(IEnumerable<ElsaNode> nodes, Func<ElsaNode, string> name)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in nodes)
            ids.TryAdd(name(node), node.Id);
        return ids;
    }
}
