namespace Pipelines.Workflows;

/// <summary>"Did you mean": the known name that is nearest to a misspelt one.</summary>
public static class Suggestion
{
    /// <summary><c> (did you mean 'sparsity'?)</c>, else a list of what there is, else nothing.</summary>
    public static string For(string name, IReadOnlyCollection<string> known)
    {
        if (known.Count == 0)
            return "";
        var nearest = known.MinBy(candidate => Distance(name, candidate))!;
        return Distance(name, nearest) <= Math.Max(2, name.Length / 3)
            ? $" (did you mean '{nearest}'?)"
            : $" (there is: {string.Join(", ", known.Take(12))}{(known.Count > 12 ? ", …" : "")})";
    }

    /// <summary>Levenshtein's distance, without regard to case.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
