using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Pipelines.Workflows;

namespace Pipelines.Storage;

/// <summary>The tables, in a schema of their own. Names are written out, since SQL names them too.</summary>
internal sealed class PipelinesDb(DbContextOptions<PipelinesDb> options) : DbContext(options)
{
    public const string Schema = "pipelines";
    public const string MigrationsTable = "migrations";

    public DbSet<RunRow> Runs => Set<RunRow>();
    public DbSet<StageRow> Stages => Set<StageRow>();
    public DbSet<AttemptRow> Attempts => Set<AttemptRow>();
    public DbSet<StageLogRow> StageLogs => Set<StageLogRow>();
    public DbSet<ResultRow> Results => Set<ResultRow>();
    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<ScheduleRow> Schedules => Set<ScheduleRow>();
    public DbSet<ScheduleFireRow> ScheduleFires => Set<ScheduleFireRow>();
    public DbSet<DefinitionRow> Definitions => Set<DefinitionRow>();
    public DbSet<DefinitionVersionRow> DefinitionVersions => Set<DefinitionVersionRow>();
    public DbSet<TokenRow> Tokens => Set<TokenRow>();
    public DbSet<AuditRow> Audit => Set<AuditRow>();
    public DbSet<StageMetricRow> StageMetrics => Set<StageMetricRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Schema);
        modelBuilder.Entity<RunRow>(ConfigureRuns);
        modelBuilder.Entity<StageRow>(ConfigureStages);
        modelBuilder.Entity<AttemptRow>(ConfigureAttempts);
        modelBuilder.Entity<StageLogRow>(ConfigureStageLogs);
        modelBuilder.Entity<ResultRow>(ConfigureResults);
        modelBuilder.Entity<CheckpointRow>(ConfigureCheckpoints);
        modelBuilder.Entity<WorkerRow>(ConfigureWorkers);
        ScheduleTables.Configure(modelBuilder);
        DefinitionTables.Configure(modelBuilder);
    }

    private static void ConfigureRuns(EntityTypeBuilder<RunRow> runs)
    {
        runs.ToTable("runs", table => table.HasCheckConstraint("runs_state", IsOneOf<RunState>("state")));
        runs.HasKey(run => run.Id).HasName("runs_pkey");
        runs.Property(run => run.Id).HasColumnName("id").ValueGeneratedNever();
        runs.Property(run => run.Name).HasColumnName("name");
        runs.Property(run => run.State).HasColumnName("state").HasConversion(new Words<RunState>());
        runs.Property(run => run.UseCache).HasColumnName("use_cache");
        runs.Property(run => run.Outputs).HasColumnName("outputs").HasColumnType("jsonb").HasDefaultValueSql("'{}'");
        runs.Property(run => run.DefinitionVersion).HasColumnName("definition_version");
        runs.Property(run => run.StartedBy).HasColumnName("started_by");
        runs.Property(run => run.RequestKey).HasColumnName("request_key");
        runs.Property(run => run.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
        runs.Property(run => run.FinishedAt).HasColumnName("finished_at");
        runs.Property(run => run.CancelRequestedAt).HasColumnName("cancel_requested_at");
        runs.Property(run => run.Definition).HasColumnName("definition").HasColumnType("jsonb");
        runs.Property(run => run.Parameters).HasColumnName("parameters").HasColumnType("jsonb");

        // A request that is made twice starts one run.
        runs.HasIndex(run => run.RequestKey).IsUnique().HasDatabaseName("runs_request_key");
        // The last run of a workflow, to compare with.
        runs.HasIndex(run => new { run.Name, run.CreatedAt }).IsDescending(false, true).HasDatabaseName("runs_of_name");
        // The list of runs.
        runs.HasIndex(run => run.CreatedAt).IsDescending().HasDatabaseName("runs_newest");
    }

    private static void ConfigureStages(EntityTypeBuilder<StageRow> stages)
    {
        stages.ToTable("stages", table =>
        {
            table.HasCheckConstraint("stages_state", IsOneOf<StageState>("state"));
            table.HasCheckConstraint("stages_isolation", IsOneOf<Isolation>("isolation"));
            table.HasCheckConstraint("stages_running_has_worker", "state <> 'running' OR worker IS NOT NULL");
            table.HasCheckConstraint("stages_succeeded_has_outputs", "state <> 'succeeded' OR outputs IS NOT NULL");
            table.HasCheckConstraint("stages_unfinished_feeders", "unfinished_feeders >= 0");
        });
        stages.HasKey(stage => new { stage.RunId, stage.Id }).HasName("stages_pkey");
        stages.HasOne<RunRow>().WithMany().HasForeignKey(stage => stage.RunId).HasConstraintName("stages_run_id_fkey");
        stages.Property(stage => stage.RunId).HasColumnName("run_id");
        stages.Property(stage => stage.Id).HasColumnName("id");
        stages.Property(stage => stage.Position).HasColumnName("position");
        stages.Property(stage => stage.State).HasColumnName("state").HasConversion(new Words<StageState>());
        stages.Property(stage => stage.Kind).HasColumnName("kind");
        stages.Property(stage => stage.Version).HasColumnName("version");
        stages.Property(stage => stage.Gpu).HasColumnName("gpu");
        stages.Property(stage => stage.Group).HasColumnName("group");
        stages.Property(stage => stage.Isolation).HasColumnName("isolation").HasConversion(new Words<Isolation>())
            .HasDefaultValue(Isolation.None);
        stages.Property(stage => stage.Attempt).HasColumnName("attempt");
        stages.Property(stage => stage.Failures).HasColumnName("failures");
        stages.Property(stage => stage.MaxAttempts).HasColumnName("max_attempts");
        stages.Property(stage => stage.Backoff).HasColumnName("backoff");
        stages.Property(stage => stage.Crashes).HasColumnName("crashes");
        stages.Property(stage => stage.MaxCrashes).HasColumnName("max_crashes").HasDefaultValue(3);
        stages.Property(stage => stage.CrashStep).HasColumnName("crash_step");
        stages.Property(stage => stage.Timeout).HasColumnName("timeout");
        stages.Property(stage => stage.UnfinishedFeeders).HasColumnName("unfinished_feeders");
        stages.Property(stage => stage.Feeders).HasColumnName("feeders").HasDefaultValueSql("'{}'");
        stages.Property(stage => stage.Feeds).HasColumnName("feeds");
        stages.Property(stage => stage.Inputs).HasColumnName("inputs").HasColumnType("jsonb");
        stages.Property(stage => stage.Parameters).HasColumnName("parameters").HasColumnType("jsonb");
        stages.Property(stage => stage.Gated).HasColumnName("gated").HasDefaultValue(false);
        stages.Property(stage => stage.Conditions).HasColumnName("conditions").HasColumnType("jsonb");
        stages.Property(stage => stage.Branches).HasColumnName("branches").HasColumnType("jsonb");
        stages.Property(stage => stage.Held).HasColumnName("held").HasDefaultValueSql("'{}'");
        stages.Property(stage => stage.Variables).HasColumnName("variables").HasColumnType("jsonb");
        stages.Property(stage => stage.ReadyAt).HasColumnName("ready_at");
        stages.Property(stage => stage.StartedAt).HasColumnName("started_at");
        stages.Property(stage => stage.FinishedAt).HasColumnName("finished_at");
        stages.Property(stage => stage.Worker).HasColumnName("worker");
        stages.Property(stage => stage.Device).HasColumnName("device");
        stages.Property(stage => stage.LeaseUntil).HasColumnName("lease_until");
        stages.Property(stage => stage.Progress).HasColumnName("progress").HasColumnType("jsonb");
        stages.Property(stage => stage.Outputs).HasColumnName("outputs").HasColumnType("jsonb");
        stages.Property(stage => stage.CacheKey).HasColumnName("cache_key");
        stages.Property(stage => stage.KeyParts).HasColumnName("key_parts").HasColumnType("jsonb");
        stages.Property(stage => stage.Takes).HasColumnName("takes").HasDefaultValueSql("'{}'");
        stages.Property(stage => stage.Makes).HasColumnName("makes").HasDefaultValueSql("'{}'");
        stages.Property(stage => stage.Reused).HasColumnName("reused");
        stages.Property(stage => stage.UseCache).HasColumnName("use_cache").HasDefaultValue(true);
        stages.Property(stage => stage.Fresh).HasColumnName("fresh").HasDefaultValue(false);
        stages.Property(stage => stage.Reason).HasColumnName("reason");
        stages.Property(stage => stage.Error).HasColumnName("error");
        stages.Property(stage => stage.ErrorDetail).HasColumnName("error_detail");

        // Claiming the oldest ready stage reads one entry, however many wait.
        stages.HasIndex(stage => new { stage.ReadyAt, stage.Position })
            .HasDatabaseName("stages_ready_oldest").HasFilter("state = 'ready'");
        // Claiming the next stage of the same run does too.
        stages.HasIndex(stage => new { stage.RunId, stage.ReadyAt, stage.Position })
            .HasDatabaseName("stages_ready_of_run").HasFilter("state = 'ready'");
        // Whether a run has ended: no entry is left here.
        stages.HasIndex(stage => stage.RunId)
            .HasDatabaseName("stages_open").HasFilter("state IN ('waiting', 'ready', 'running')");
        // Whose lease has lapsed: what runs is few.
        stages.HasIndex(stage => stage.LeaseUntil).HasDatabaseName("stages_lease").HasFilter("state = 'running'");
        // Which stages made an artifact, and which read it.
        stages.HasIndex(stage => stage.Makes).HasMethod("gin").HasDatabaseName("stages_makes");
        stages.HasIndex(stage => stage.Takes).HasMethod("gin").HasDatabaseName("stages_takes");
        // What a worker runs, asked at each of its heartbeats.
        stages.HasIndex(stage => stage.Worker).HasDatabaseName("stages_of_worker").HasFilter("state = 'running'");
    }

    private static void ConfigureAttempts(EntityTypeBuilder<AttemptRow> attempts)
    {
        attempts.ToTable(
            "attempts", table => table.HasCheckConstraint("attempts_outcome", IsOneOf<AttemptOutcome>("outcome")));
        attempts.HasKey(attempt => new { attempt.RunId, attempt.Stage, attempt.Attempt }).HasName("attempts_pkey");
        attempts.HasOne<StageRow>().WithMany().HasForeignKey(attempt => new { attempt.RunId, attempt.Stage })
            .HasConstraintName("attempts_stage_fkey");
        attempts.Property(attempt => attempt.RunId).HasColumnName("run_id");
        attempts.Property(attempt => attempt.Stage).HasColumnName("stage");
        attempts.Property(attempt => attempt.Attempt).HasColumnName("attempt");
        attempts.Property(attempt => attempt.Worker).HasColumnName("worker");
        attempts.Property(attempt => attempt.StartedAt).HasColumnName("started_at").HasDefaultValueSql("now()");
        attempts.Property(attempt => attempt.FinishedAt).HasColumnName("finished_at");
        attempts.Property(attempt => attempt.FromStep).HasColumnName("from_step");
        attempts.Property(attempt => attempt.Outcome).HasColumnName("outcome")
            .HasConversion(new Words<AttemptOutcome>());
        attempts.Property(attempt => attempt.Device).HasColumnName("device");
        attempts.Property(attempt => attempt.ExitCode).HasColumnName("exit_code");
        attempts.Property(attempt => attempt.Error).HasColumnName("error");
    }

    private static void ConfigureStageLogs(EntityTypeBuilder<StageLogRow> logs)
    {
        logs.ToTable("stage_logs");
        logs.HasKey(line => line.Id).HasName("stage_logs_pkey");
        logs.HasOne<StageRow>().WithMany().HasForeignKey(line => new { line.RunId, line.Stage })
            .HasConstraintName("stage_logs_stage_fkey");
        logs.Property(line => line.Id).HasColumnName("id").UseIdentityAlwaysColumn();
        logs.Property(line => line.RunId).HasColumnName("run_id");
        logs.Property(line => line.Stage).HasColumnName("stage");
        logs.Property(line => line.Attempt).HasColumnName("attempt");
        logs.Property(line => line.At).HasColumnName("at");
        logs.Property(line => line.Text).HasColumnName("text");

        // A stage's log from where the reader stopped; also what the foreign key looks up.
        logs.HasIndex(line => new { line.RunId, line.Stage, line.Id }).HasDatabaseName("stage_logs_of_stage");
    }

    private static void ConfigureResults(EntityTypeBuilder<ResultRow> results)
    {
        results.ToTable("results");
        results.HasKey(result => result.Key).HasName("results_pkey");
        results.Property(result => result.Key).HasColumnName("key");
        results.Property(result => result.Outputs).HasColumnName("outputs").HasColumnType("jsonb");
        results.Property(result => result.RunId).HasColumnName("run_id");
        results.Property(result => result.Stage).HasColumnName("stage");
        results.Property(result => result.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
    }

    private static void ConfigureCheckpoints(EntityTypeBuilder<CheckpointRow> checkpoints)
    {
        checkpoints.ToTable("checkpoints");
        checkpoints.HasKey(checkpoint => new { checkpoint.RunId, checkpoint.Stage }).HasName("checkpoints_pkey");
        checkpoints.HasOne<StageRow>().WithMany().HasForeignKey(checkpoint => new { checkpoint.RunId, checkpoint.Stage })
            .HasConstraintName("checkpoints_stage_fkey");
        checkpoints.Property(checkpoint => checkpoint.RunId).HasColumnName("run_id");
        checkpoints.Property(checkpoint => checkpoint.Stage).HasColumnName("stage");
        checkpoints.Property(checkpoint => checkpoint.Attempt).HasColumnName("attempt");
        checkpoints.Property(checkpoint => checkpoint.Step).HasColumnName("step");
        checkpoints.Property(checkpoint => checkpoint.Key).HasColumnName("key");
        checkpoints.Property(checkpoint => checkpoint.Hash).HasColumnName("hash");
        checkpoints.Property(checkpoint => checkpoint.SavedAt).HasColumnName("saved_at").HasDefaultValueSql("now()");

        // Whether another stage's checkpoint is the same artifact.
        checkpoints.HasIndex(checkpoint => checkpoint.Hash).HasDatabaseName("checkpoints_hash");
    }

    private static void ConfigureWorkers(EntityTypeBuilder<WorkerRow> workers)
    {
        workers.ToTable("workers", table => table.HasCheckConstraint("workers_slots", "slots > 0"));
        workers.HasKey(worker => worker.Id).HasName("workers_pkey");
        workers.Property(worker => worker.Id).HasColumnName("id");
        workers.Property(worker => worker.Host).HasColumnName("host");
        workers.Property(worker => worker.Pid).HasColumnName("pid");
        workers.Property(worker => worker.Groups).HasColumnName("groups");
        workers.Property(worker => worker.Slots).HasColumnName("slots");
        workers.Property(worker => worker.SlotsByGroup).HasColumnName("slots_by_group").HasColumnType("jsonb")
            .HasDefaultValueSql("'{}'");
        workers.Property(worker => worker.Devices).HasColumnName("devices").HasDefaultValueSql("'{}'");
        workers.Property(worker => worker.DrainRequestedAt).HasColumnName("drain_requested_at");
        workers.Property(worker => worker.StartedAt).HasColumnName("started_at").HasDefaultValueSql("now()");
        workers.Property(worker => worker.SeenAt).HasColumnName("seen_at").HasDefaultValueSql("now()");
    }

    public static string IsOneOf<TEnum>(string column)
        where TEnum : struct, Enum =>
        $"{column} IN ({string.Join(", ", Enum.GetValues<TEnum>().Select(value => $"'{Words<TEnum>.Write(value)}'"))})";

    /// <summary>Enums as words, so that a person reads the tables: <c>handed-back</c>.</summary>
    public sealed class Words<TEnum>() : ValueConverter<TEnum, string>(value => Write(value), word => Read(word))
        where TEnum : struct, Enum
    {
        public static string Write(TEnum value) => Workflows.Json.Write(value).GetString()!;

        public static TEnum Read(string word) => Workflows.Json.Read<TEnum>($"\"{word}\"");
    }
}
