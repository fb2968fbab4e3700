using System.Globalization;
using System.Text.Json;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Tests.Failures;

/// <summary>Schedules whose times have passed, or come in a moment, so that nobody waits for a minute to end.</summary>
internal static class ScheduleLaboratory
{
    // Once an hour, half an hour from now: no time comes while a test runs.
    private static readonly string Hourly = string.Create(
        CultureInfo.InvariantCulture, $"{(TimeProvider.System.GetUtcNow().Minute + 30) % 60} * * * *");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="seed">Of the text that its run makes.</param>
    public static Task<ScheduleView> AddScheduleAsync(this Laboratory laboratory, string name, int seed)
    {
        var parameters = JsonSerializer.SerializeToElement(new { characters = 2000, evaluationCharacters = 1000, seed });
        var definition = new WorkflowDefinition("scheduled", [new StageDefinition("make", "data.synthetic", parameters)]);
        return laboratory.Engine.Schedules.AddAsync(
            name, Hourly, "UTC", MissedPolicy.All, OverlapPolicy.Allow, definition, new Dictionary<string, JsonElement>(), Cancellation);
    }

    /// <summary>As if so many of its times had not been decided; workers find that out when the delay is over.</summary>
    /// <returns>When that is, by the database's clock.</returns>
    public static async Task<DateTimeOffset> SetBackAsync(this Laboratory laboratory, string name, int times, TimeSpan delay) =>
        new(await laboratory.AskAsync<DateTime>(string.Create(CultureInfo.InvariantCulture, $"""
            WITH changed AS (
                UPDATE pipelines.schedules SET last_fire = now() - interval '{times} hours',
                    next_fire = clock_timestamp() + interval '{delay.TotalSeconds} seconds'
                WHERE name = '{name}' RETURNING next_fire)
            SELECT next_fire FROM changed, pg_notify('pipelines_schedules', '')
            """)));

    /// <summary>What became of its times, once each is over.</summary>
    public static async Task<IReadOnlyList<FireView>> FiresAsync(this Laboratory laboratory, string name, int times)
    {
        while (true)
        {
            var fires = await laboratory.Engine.Schedules.HistoryAsync(name, times + 100, Cancellation);
            if (fires.Count >= times && fires.All(fire => fire.State is not (null or RunState.Running)))
                return fires;
            await Task.Delay(50, Cancellation);
        }
    }

    /// <summary>Returns when nothing of it is due.</summary>
    public static async Task CaughtUpAsync(this Laboratory laboratory, string name)
    {
        while (await laboratory.AskAsync<bool>($"SELECT next_fire <= clock_timestamp() FROM pipelines.schedules WHERE name = '{name}'"))
            await Task.Delay(50, Cancellation);
    }
}
