using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Pipelines.Storage;

/// <summary>A row of <c>definitions</c>: a workflow that is being edited on the server.</summary>
internal sealed class DefinitionRow
{
    public required string Name { get; init; }

    /// <summary>The document as it was last saved.</summary>
    public required string Draft { get; init; }

    /// <summary>Grows with every save; whoever saves names the one that it began with.</summary>
    public required int Revision { get; init; }

    /// <summary>The last version; null when none was published.</summary>
    public int? Published { get; init; }

    /// <summary>The revision that was published last.</summary>
    public int? PublishedRevision { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public string? UpdatedBy { get; init; }
}

/// <summary>A row of <c>definition_versions</c>: a published version, which never changes.</summary>
internal sealed class DefinitionVersionRow
{
    public required string Name { get; init; }
    public required int Version { get; init; }
    public required string Definition { get; init; }
    public DateTimeOffset PublishedAt { get; init; }
    public string? PublishedBy { get; init; }
}

/// <summary>A row of <c>tokens</c>: who may ask the server for what.</summary>
internal sealed class TokenRow
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }

    /// <summary>SHA-256 of the token; the token itself is shown once and kept nowhere.</summary>
    public required byte[] Hash { get; init; }
    public required Role Role { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }
    public DateTimeOffset? UsedAt { get; init; }
}

/// <summary>What a token allows; each includes those before it.</summary>
public enum Role
{
    /// <summary>Looks.</summary>
    Viewer,

    /// <summary>Edits workflows, starts and stops runs.</summary>
    Operator,

    /// <summary>Gives tokens, and changes what others rely on.</summary>
    Admin,
}

/// <summary>A row of <c>audit</c>: who changed what.</summary>
internal sealed class AuditRow
{
    public long Id { get; init; }
    public DateTimeOffset At { get; init; }

    /// <summary>The token's name; null on loopback without one.</summary>
    public string? Who { get; init; }
    public required string Action { get; init; }
    public required string Target { get; init; }

    /// <summary>The answer's HTTP status.</summary>
    public required int Status { get; init; }
}

/// <summary>A row of <c>stage_metrics</c>: a point of a curve.</summary>
internal sealed class StageMetricRow
{
    public long Id { get; init; }
    public required Guid RunId { get; init; }
    public required string Stage { get; init; }
    public required int Attempt { get; init; }

    /// <summary><c>loss</c>, <c>sparsity</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The step, or the layer.</summary>
    public required long Step { get; init; }
    public required double Value { get; init; }
}

/// <summary>The tables that the server has beside those of runs.</summary>
internal static class DefinitionTables
{
    public static void Configure(ModelBuilder model)
    {
        model.Entity<DefinitionRow>(ConfigureDefinitions);
        model.Entity<DefinitionVersionRow>(ConfigureVersions);
        model.Entity<TokenRow>(ConfigureTokens);
        model.Entity<AuditRow>(ConfigureAudit);
        model.Entity<StageMetricRow>(ConfigureMetrics);
    }

    private static void ConfigureDefinitions(EntityTypeBuilder<DefinitionRow> definitions)
    {
        definitions.ToTable("definitions");
        definitions.HasKey(row => row.Name).HasName("definitions_pkey");
        definitions.Property(row => row.Name).HasColumnName("name");
        definitions.Property(row => row.Draft).HasColumnName("draft").HasColumnType("json");
        definitions.Property(row => row.Revision).HasColumnName("revision");
        definitions.Property(row => row.Published).HasColumnName("published");
        definitions.Property(row => row.PublishedRevision).HasColumnName("published_revision");
        definitions.Property(row => row.UpdatedAt).HasColumnName("updated_at").HasDefaultValueSql("now()");
        definitions.Property(row => row.UpdatedBy).HasColumnName("updated_by");
    }

    private static void ConfigureVersions(EntityTypeBuilder<DefinitionVersionRow> versions)
    {
        versions.ToTable("definition_versions");
        versions.HasKey(row => new { row.Name, row.Version }).HasName("definition_versions_pkey");
        versions.Property(row => row.Name).HasColumnName("name");
        versions.Property(row => row.Version).HasColumnName("version");
        versions.Property(row => row.Definition).HasColumnName("definition").HasColumnType("json");
        versions.Property(row => row.PublishedAt).HasColumnName("published_at").HasDefaultValueSql("now()");
        versions.Property(row => row.PublishedBy).HasColumnName("published_by");
    }

    private static void ConfigureTokens(EntityTypeBuilder<TokenRow> tokens)
    {
        tokens.ToTable("tokens", table => table.HasCheckConstraint("tokens_role", PipelinesDb.IsOneOf<Role>("role")));
        tokens.HasKey(row => row.Id).HasName("tokens_pkey");
        tokens.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
        tokens.Property(row => row.Name).HasColumnName("name");
        tokens.Property(row => row.Hash).HasColumnName("hash");
        tokens.Property(row => row.Role).HasColumnName("role").HasConversion(new PipelinesDb.Words<Role>());
        tokens.Property(row => row.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
        tokens.Property(row => row.ExpiresAt).HasColumnName("expires_at");
        tokens.Property(row => row.RevokedAt).HasColumnName("revoked_at");
        tokens.Property(row => row.UsedAt).HasColumnName("used_at");
        tokens.HasIndex(row => row.Hash).IsUnique().HasDatabaseName("tokens_hash");
        // A name may be used again once its token was revoked.
        tokens.HasIndex(row => row.Name).IsUnique().HasDatabaseName("tokens_name").HasFilter("revoked_at IS NULL");
    }

    private static void ConfigureAudit(EntityTypeBuilder<AuditRow> audit)
    {
        audit.ToTable("audit");
        audit.HasKey(row => row.Id).HasName("audit_pkey");
        audit.Property(row => row.Id).HasColumnName("id");
        audit.Property(row => row.At).HasColumnName("at").HasDefaultValueSql("clock_timestamp()");
        audit.Property(row => row.Who).HasColumnName("who");
        audit.Property(row => row.Action).HasColumnName("action");
        audit.Property(row => row.Target).HasColumnName("target");
        audit.Property(row => row.Status).HasColumnName("status");
    }

    private static void ConfigureMetrics(EntityTypeBuilder<StageMetricRow> metrics)
    {
        metrics.ToTable("stage_metrics");
        metrics.HasKey(row => row.Id).HasName("stage_metrics_pkey");
        metrics.HasOne<StageRow>().WithMany().HasForeignKey(row => new { row.RunId, row.Stage }).HasConstraintName("stage_metrics_stage_fkey");
        metrics.Property(row => row.Id).HasColumnName("id");
        metrics.Property(row => row.RunId).HasColumnName("run_id");
        metrics.Property(row => row.Stage).HasColumnName("stage");
        metrics.Property(row => row.Attempt).HasColumnName("attempt");
        metrics.Property(row => row.Name).HasColumnName("name");
        metrics.Property(row => row.Step).HasColumnName("step");
        metrics.Property(row => row.Value).HasColumnName("value");
        metrics.HasIndex(row => new { row.RunId, row.Stage, row.Id }).HasDatabaseName("stage_metrics_of_stage");
    }
}
