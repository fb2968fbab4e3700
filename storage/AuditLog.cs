using Microsoft.EntityFrameworkCore;

namespace Pipelines.Storage;

/// <summary>Who changed what over HTTP.</summary>
public sealed class AuditLog
{
    private const int Longest = 1000;

    private readonly Database database;

    internal AuditLog(Database database) => this.database = database;

    /// <param name="who">The token's name; null without one.</param>
    /// <param name="action">Method and route.</param>
    /// <param name="target">The path that was asked for.</param>
    public async Task WriteAsync(string? who, string action, string target, int status, CancellationToken cancellation)
    {
        var cut = target.Length <= Longest ? target : target[..Longest];
        await using var db = database.Create();
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO pipelines.audit (who, action, target, status) VALUES ({who}, {action}, {cut}, {status})", cancellation);
    }

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<AuditView>> ListAsync(int limit, CancellationToken cancellation)
    {
        await using var db = database.Create();
        return await db.Audit.OrderByDescending(row => row.Id).Take(limit)
            .Select(row => new AuditView(row.Id, row.At, row.Who, row.Action, row.Target, row.Status)).ToListAsync(cancellation);
    }
}

/// <param name="Who">The token's name; null for who needed none.</param>
/// <param name="Status">The answer's.</param>
public sealed record AuditView(long Id, DateTimeOffset At, string? Who, string Action, string Target, int Status);
