using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>The combinations of a matrix, the last name changing fastest.</summary>
internal static class MatrixValues
{
    /// <returns>Empty when something is at fault, which was said.</returns>
    public static IReadOnlyList<IReadOnlyDictionary<string, JsonElement>> Read(
        MatrixDefinition matrix, Scope scope, string path, Faults faults)
    {
        if (matrix.Values.Count == 0)
            faults.Add(path, "matrix.values is empty: expected a list of values by name");
        var lists = new List<(string Name, JsonElement[] Values)>();
        foreach (var (name, json) in matrix.Values)
        {
            if (scope.Variables.Knows(name) || name is "round" or "rounds")
                faults.Add(path, $"matrix.values.{name}: the name is taken, by a parameter or an outer matrix");
            if (new Template(scope.Variables, path, faults).Fill(json) is not { } filled)
                continue; // said
            if (filled.ValueKind == JsonValueKind.Array && filled.GetArrayLength() > 0)
                lists.Add((name, [.. filled.EnumerateArray()]));
            else
                faults.Add(path, $"matrix.values.{name} is {filled.GetRawText()}: expected a list with at least one value");
        }

        if (lists.Count < matrix.Values.Count || lists.Count == 0)
            return [];
        if (lists.Aggregate(1.0, (count, list) => count * list.Values.Length) > Expansion.MostStages)
        {
            faults.Add(path, $"the matrix has more than {Expansion.MostStages} combinations");
            return [];
        }

        IEnumerable<Dictionary<string, JsonElement>> rows = [[]];
        foreach (var (name, values) in lists)
            rows = rows.SelectMany(row => values.Select(value => new Dictionary<string, JsonElement>(row) { [name] = value }));
        return [.. rows];
    }
}
