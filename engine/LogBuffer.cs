using System.Globalization;

namespace Pipelines.Engine;

/// <summary>
/// The lines of a stage's log on their way to the database. However much the stage says, and however long the database is
/// away, it holds so many lines and characters and no more; where some are left out, a line says how many.
/// </summary>
internal sealed class LogBuffer
{
    public const int MostLines = 10_000;
    public const int MostCharacters = 4_000_000;
    public const int LongestLine = 10_000;

    private readonly List<(DateTimeOffset At, string Text)> lines = [];
    private int characters;
    private long missing;
    private DateTimeOffset missingSince;

    public bool IsEmpty => lines.Count == 0 && missing == 0;

    public IReadOnlyList<(DateTimeOffset At, string Text)> Lines => missing == 0 ? lines :
    [
        .. lines,
        (missingSince, string.Create(
            CultureInfo.InvariantCulture, $"… {missing} lines are missing here: they came faster than the database took them")),
    ];

    public void Add(DateTimeOffset at, string text)
    {
        var line = text.Length <= LongestLine ? text : text[..LongestLine] + "…";
        // Once some are missing, those after them are as well: the line that says so stands at the end.
        if (missing > 0 || lines.Count == MostLines || characters + line.Length > MostCharacters)
        {
            Miss(1, at);
            return;
        }

        lines.Add((at, line));
        characters += line.Length;
    }

    /// <summary>What came since.</summary>
    public void Append(LogBuffer later)
    {
        foreach (var (at, text) in later.lines)
            Add(at, text);
        if (later.missing > 0)
            Miss(later.missing, later.missingSince);
    }

    private void Miss(long count, DateTimeOffset since)
    {
        if (missing == 0)
            missingSince = since;
        missing += count;
    }
}
