using Microsoft.Extensions.Logging;
using Pipelines.Storage;
using Pipelines.Workflows;

namespace Pipelines.Engine;

/// <summary>
/// Takes a stage's progress and log lines on its thread, and writes them to the database on another, a few times a
/// second: of the progress the latest and the points of its curves, of the log all.
/// </summary>
internal sealed partial class StageReporter : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(350);

    private readonly StageStore stages;
    private readonly StageClaim claim;
    private readonly TimeProvider time;
    private readonly ILogger<StageReporter> logger;
    private readonly PeriodicTimer timer;
    private readonly Lock held = new();
    private readonly Task loop;
    private readonly MetricBuffer metrics = new();
    private LogBuffer lines = new();
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
        {
            progress = finite;
            metrics.Add(finite);
        }
    }

    public void Log(string text)
    {
        lock (held)
            lines.Add(time.GetUtcNow(), text);
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
        LogBuffer batch;
        IReadOnlyList<MetricPoint> points;
        lock (held)
        {
            if (progress is null && lines.IsEmpty && metrics.IsEmpty)
                return;
            points = metrics.Take();
            (latest, progress) = (progress, null);
            (batch, lines) = (lines, new LogBuffer());
        }

        try
        {
            await stages.ReportAsync(claim, latest, batch.Lines, points, CancellationToken.None);
        }
        catch (Exception error)
        {
            LogUnwritten(claim.Run, claim.Stage, error.Message);
            lock (held)
            {
                progress ??= latest;
                metrics.Return(points);
                batch.Append(lines);
                lines = batch;
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Run {RunId}: progress of stage {StageId} not written yet: {Reason}")]
    private partial void LogUnwritten(Guid runId, string stageId, string reason);
}
