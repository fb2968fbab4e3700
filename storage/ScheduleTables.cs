using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Pipelines.Storage;

/// <summary>The tables of schedules, and what they need of the table of runs.</summary>
internal static class ScheduleTables
{
    public static void Configure(ModelBuilder model)
    {
        model.Entity<ScheduleRow>(ConfigureSchedules);
        model.Entity<ScheduleFireRow>(ConfigureFires);

        // Which runs of a schedule still run, however many there were.
        model.Entity<RunRow>().HasIndex(run => run.Id).HasDatabaseName("runs_running").HasFilter("state = 'running'");
    }

    private static void ConfigureSchedules(EntityTypeBuilder<ScheduleRow> schedules)
    {
        schedules.ToTable("schedules", table =>
        {
            table.HasCheckConstraint("schedules_missed", PipelinesDb.IsOneOf<MissedPolicy>("missed"));
            table.HasCheckConstraint("schedules_overlap", PipelinesDb.IsOneOf<OverlapPolicy>("overlap"));
        });
        schedules.HasKey(schedule => schedule.Name).HasName("schedules_pkey");
        schedules.Property(schedule => schedule.Name).HasColumnName("name");
        schedules.Property(schedule => schedule.Cron).HasColumnName("cron");
        schedules.Property(schedule => schedule.Zone).HasColumnName("zone");
        schedules.Property(schedule => schedule.Missed).HasColumnName("missed")
            .HasConversion(new PipelinesDb.Words<MissedPolicy>());
        schedules.Property(schedule => schedule.Overlap).HasColumnName("overlap")
            .HasConversion(new PipelinesDb.Words<OverlapPolicy>());
        schedules.Property(schedule => schedule.Definition).HasColumnName("definition").HasColumnType("jsonb");
        schedules.Property(schedule => schedule.Parameters).HasColumnName("parameters").HasColumnType("jsonb");
        schedules.Property(schedule => schedule.CreatedAt).HasColumnName("created_at").HasDefaultValueSql("now()");
        schedules.Property(schedule => schedule.LastFire).HasColumnName("last_fire").HasDefaultValueSql("now()");
        schedules.Property(schedule => schedule.NextFire).HasColumnName("next_fire");
        schedules.Property(schedule => schedule.PausedAt).HasColumnName("paused_at");
        schedules.Property(schedule => schedule.PauseReason).HasColumnName("pause_reason");

        // What is due next.
        schedules.HasIndex(schedule => schedule.NextFire).HasDatabaseName("schedules_next").HasFilter("paused_at IS NULL");
    }

    private static void ConfigureFires(EntityTypeBuilder<ScheduleFireRow> fires)
    {
        fires.ToTable("schedule_fires", table =>
            table.HasCheckConstraint("schedule_fires_outcome", PipelinesDb.IsOneOf<FireOutcome>("outcome")));
        fires.HasKey(fire => new { fire.Schedule, fire.FireTime }).HasName("schedule_fires_pkey");
        fires.HasOne<ScheduleRow>().WithMany().HasForeignKey(fire => fire.Schedule)
            .HasConstraintName("schedule_fires_schedule_fkey").OnDelete(DeleteBehavior.Cascade);
        fires.HasOne<RunRow>().WithMany().HasForeignKey(fire => fire.RunId)
            .HasConstraintName("schedule_fires_run_id_fkey").OnDelete(DeleteBehavior.SetNull);
        fires.Property(fire => fire.Schedule).HasColumnName("schedule");
        fires.Property(fire => fire.FireTime).HasColumnName("fire_time");
        fires.Property(fire => fire.Outcome).HasColumnName("outcome").HasConversion(new PipelinesDb.Words<FireOutcome>());
        fires.Property(fire => fire.Triggered).HasColumnName("triggered");
        fires.Property(fire => fire.Reason).HasColumnName("reason");
        fires.Property(fire => fire.RunId).HasColumnName("run_id");
        fires.Property(fire => fire.DecidedAt).HasColumnName("decided_at").HasDefaultValueSql("now()");

        // Which schedule a run belongs to.
        fires.HasIndex(fire => fire.RunId).HasDatabaseName("schedule_fires_run");
        // One waits at most.
        fires.HasIndex(fire => fire.Schedule).IsUnique()
            .HasDatabaseName("schedule_fires_queued").HasFilter("outcome = 'queued'");
    }
}
