using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pipelines.Workflows.Elsa;

/// <summary>What stages are called that were activities: by their name, else by their id, else by their type; each once.</summary>
internal static partial class ElsaNames
{
    private const int Longest = 64;

    public static string[] Of(IEnumerable<JsonObject> activities)
    {
        // A group's stages call what the group takes by this word.
        var taken = new HashSet<string>(StringComparer.Ordinal) { Planning.Resolver.Inputs };
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        return [.. activities.Select(activity => Unique(Candidate(activity), taken, counts))];
    }

    /// <summary>The name itself, or the first that is free of <c>name-2</c>, <c>name-3</c>, …</summary>
    /// <param name="counts">Where the search stands for each name.</param>
    public static string Unique(string wanted, HashSet<string> taken, Dictionary<string, int> counts)
    {
        if (taken.Add(wanted))
            return wanted;
        for (var number = counts.GetValueOrDefault(wanted, 2); ; number++)
        {
            var suffix = $"-{number}";
            var name = wanted[..Math.Min(wanted.Length, Longest - suffix.Length)] + suffix;
            if (!taken.Add(name))
                continue;
            counts[wanted] = number + 1;
            return name;
        }
    }

    private static string Candidate(JsonObject activity) =>
        Cleaned(activity.Text("name"))
        ?? (activity.Text("id") is { } id && Identifier().IsMatch(id) ? id : null)
        ?? Cleaned(activity.Text("type")?.Split('.')[^1])
        ?? "stage";

    private static string? Cleaned(string? text)
    {
        var cleaned = Others().Replace(text ?? "", "-").TrimStart('-', '_', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return cleaned.Length == 0 ? null : cleaned[..Math.Min(cleaned.Length, Longest)];
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_-]{0,63}\z")]
    private static partial Regex Identifier();

    [GeneratedRegex("[^A-Za-z0-9_-]+")]
    private static partial Regex Others();
}
