using System.Text.Json;

namespace Pipelines.Workflows.Planning;

/// <summary>A number of rounds or branches: written out, or an expression.</summary>
internal static class WholeNumber
{
    /// <param name="what">As in <c>repeat.times</c>.</param>
    /// <returns>1 when it is at fault, which was said.</returns>
    public static int Read(JsonElement json, int most, Scope scope, string path, string what, Faults faults)
    {
        if (new Template(scope.Variables, path, faults).Fill(json) is not { } number)
            return 1;
        if (number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var count) && count >= 1 && count <= most)
            return count;
        faults.Add(path, $"{what} is {number.GetRawText()}: expected a whole number, 1 to {most}");
        return 1;
    }
}
