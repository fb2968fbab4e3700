using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>
/// Takes a stage's progress and log lines on its thread, and writes them to the database on another, a few times a
/// second: of the progress the latest, of the log all.
/// </summary>
internal sealed partial class StageReporter : IAsyncDisposable
{
    private const int MostLines = 10_000;
    private const int LongestLine = 10_000;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(350);

    private readonly StageStore stages;
    private readonly StageClaim claim;
    private readonly TimeProvider time;
    private readonly ILogger<StageReporter> logger;
    private readonly PeriodicTimer timer;
    private readonly Lock held = new();
    private readonly Task loop;
    private List<(DateTimeOffset At, string Text)> lines = [];
    private StageProgress? progress;

    public StageReporter(StageStore stages, StageClaim claim, TimeProvider time, ILogger<StageReporter> logger)
    {
        this.stages = stages;
        this.claim = claim;
        this.time = time;
        this.logger = logger;
        timer = new PeriodicTimer(Period, time);
        loop = WriteAsync();
    }

    public void Progress(StageProgress reported)
    {
        var finite = reported.Finite();
        lock (held)
            progress = finite;
    }

    public void Log(string text)
    {
        var line = text.Length <= LongestLine ? text : text[..LongestLine] + "…";
        lock (held)
        {
            if (lines.Count < MostLines)
                lines.Add((time.GetUtcNow(), line));
            else if (lines.Count == MostLines)
                lines.Add((time.GetUtcNow(), "… lines are missing here: they came faster than the database took them"));
        }
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        timer.Dispose();
        await loop;
        await FlushAsync();
    }

    private async Task WriteAsync()
    {
        while (await timer.WaitForNextTickAsync())
            await FlushAsync();
    }

    private async Task FlushAsync()
    {
        StageProgress? latest;
        List<(DateTimeOffset At, string Text)> batch;
        lock (held)
        {
            if (progress is null && lines.Count == 0)
                return;
            (latest, progress) = (progress, null);
            (batch, lines) = (lines, []);
        }

        try
        {
            await stages.ReportAsync(claim, latest, batch, CancellationToken.None);
        }
        catch (Exception error)
        {
            LogUnwritten(claim.Run, claim.Stage, error.Message);
            lock (held)
            {
                progress ??= latest;
                lines.InsertRange(0, batch);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: progress of stage {StageId} not written yet: {Reason}")]
    private partial void LogUnwritten(Guid runId, string stageId, string reason);
}
