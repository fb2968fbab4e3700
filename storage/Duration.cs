using System.Globalization;

namespace Pipelines.Storage;

/// <summary>Spans of time as people write them: <c>90d</c>, <c>12h</c>, <c>30m</c>.</summary>
public static class Duration
{
    public const string Expected = "a number and d, h or m, as 30d";

    private const int Most = 100_000;

    /// <returns>Null when it is none.</returns>
    public static TimeSpan? Read(string text)
    {
        if (text.Length < 2 || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > Most)
            return null;
        return text[^1] switch
        {
            'd' => TimeSpan.FromDays(number),
            'h' => TimeSpan.FromHours(number),
            'm' => TimeSpan.FromMinutes(number),
            _ => null,
        };
    }
}
