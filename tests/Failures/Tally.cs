namespace Pipelines.Tests.Failures;

/// <summary>The table that the suite ends with: a line per failure.</summary>
internal static class Tally
{
    private static readonly Lock Held = new();

    /// <summary>Whether the long form was asked for: PIPELINES_FAILURES=long.</summary>
    public static bool Long => Environment.GetEnvironmentVariable("PIPELINES_FAILURES") == "long";

    /// <summary>Whether failures alone were asked for, or the long form: PIPELINES_FAILURES=all.</summary>
    public static bool All => Long || Environment.GetEnvironmentVariable("PIPELINES_FAILURES") == "all";

    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("PIPELINES_SEED"), out var seed)
        ? seed
        : Environment.TickCount & 0xffff;

    /// <param name="tries">How often the failure was brought about.</param>
    public static void Add(string failure, int tries, int lost, int doneTwice, bool same)
    {
        if (Environment.GetEnvironmentVariable("PIPELINES_TALLY") is not { Length: > 0 } file)
            return;
        lock (Held)
            File.AppendAllText(file, $"{failure,-62} {tries,6} {lost,6} {doneTwice,6} {(same ? "yes" : "NO"),6}\n");
    }
}
