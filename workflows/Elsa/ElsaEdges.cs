using System.Text.Json.Nodes;

namespace Pipelines.Workflows.Elsa;

/// <summary>An edge in Elsa's ids. Of a stage of ours only that another one feeds it; of a placeholder the ports as well.</summary>
internal readonly record struct ElsaEdge(string Source, string? SourcePort, string? TargetPort);

/// <summary>Connections, which are order, as what feeds our stages, which is data; and back.</summary>
internal static class ElsaEdges
{
    /// <summary>What feeds a placeholder by its connections: port to <c>stage.outcome</c>; null for nothing.</summary>
    /// <param name="stageOf">By Elsa's id.</param>
    public static JsonObject? Inputs(IEnumerable<ElsaConnection> connections, IReadOnlyDictionary<string, string> stageOf)
    {
        var ports = new Dictionary<string, List<string>>();
        foreach (var connection in connections)
        {
            if (!CanBeShown(connection) || !stageOf.TryGetValue(connection.Source, out var source))
                continue;
            if (!ports.TryGetValue(connection.TargetPort, out var sources))
                ports[connection.TargetPort] = sources = [];
            var name = $"{source}.{connection.SourcePort}";
            if (!sources.Contains(name))
                sources.Add(name);
        }

        return ports.Count == 0 ? null : (JsonObject)Nodes.ToNode(ports.ToDictionary(port => port.Key, port => new Sources(port.Value)))!;
    }

    /// <summary>What feeds a stage, as edges.</summary>
    /// <param name="idOf">Elsa's id of a stage.</param>
    /// <param name="ports">Whether the ports count: for a placeholder.</param>
    public static HashSet<ElsaEdge> Of(JsonObject stage, IReadOnlyDictionary<string, string> idOf, bool ports)
    {
        var edges = new HashSet<ElsaEdge>();
        Add(stage, []);
        return edges;

        void Add(JsonObject at, HashSet<string> hidden)
        {
            foreach (var (port, sources) in at["inputs"] as JsonObject ?? [])
            {
                foreach (var source in sources is JsonArray many ? many.Select(one => one.AsText()) : [sources.AsText()])
                {
                    if (source is not null && OutputName.Parse(source) is { } name && !hidden.Contains(name.Stage) && idOf.TryGetValue(name.Stage, out var id))
                        edges.Add(ports ? new ElsaEdge(id, name.Port, port) : new ElsaEdge(id, null, null));
                }
            }

            // The stages of a group see what lies around it.
            var inner = (at["stages"] as JsonArray ?? []).OfType<JsonObject>().ToArray();
            if (inner.Length == 0)
                return;
            HashSet<string> inside = [.. hidden, .. inner.Select(one => one.Text("id") ?? "")];
            foreach (var one in inner)
                Add(one, inside);
        }
    }

    public static ElsaEdge Of(ElsaConnection connection, bool ports) =>
        ports ? new ElsaEdge(connection.Source, connection.SourcePort, connection.TargetPort) : new ElsaEdge(connection.Source, null, null);

    /// <summary>A dot would be read as the end of the stage's name.</summary>
    public static bool CanBeShown(ElsaConnection connection) =>
        connection.SourcePort.Length > 0 && !connection.SourcePort.Contains('.', StringComparison.Ordinal);
}
