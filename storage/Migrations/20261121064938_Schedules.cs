using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Schedules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "schedules",
                schema: "pipelines",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    cron = table.Column<string>(type: "text", nullable: false),
                    zone = table.Column<string>(type: "text", nullable: false),
                    missed = table.Column<string>(type: "text", nullable: false),
                    overlap = table.Column<string>(type: "text", nullable: false),
                    definition = table.Column<string>(type: "jsonb", nullable: false),
                    parameters = table.Column<string>(type: "jsonb", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    last_fire = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    next_fire = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    paused_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    pause_reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("schedules_pkey", x => x.name);
                    table.CheckConstraint("schedules_missed", "missed IN ('skip', 'once', 'all')");
                    table.CheckConstraint("schedules_overlap", "overlap IN ('skip', 'queue', 'cancel', 'allow')");
                });

            migrationBuilder.CreateTable(
                name: "schedule_fires",
                schema: "pipelines",
                columns: table => new
                {
                    schedule = table.Column<string>(type: "text", nullable: false),
                    fire_time = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    outcome = table.Column<string>(type: "text", nullable: false),
                    triggered = table.Column<bool>(type: "boolean", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    run_id = table.Column<Guid>(type: "uuid", nullable: true),
                    decided_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("schedule_fires_pkey", x => new { x.schedule, x.fire_time });
                    table.CheckConstraint("schedule_fires_outcome", "outcome IN ('started', 'queued', 'skipped', 'failed')");
                    table.ForeignKey(
                        name: "schedule_fires_run_id_fkey",
                        column: x => x.run_id,
                        principalSchema: "pipelines",
                        principalTable: "runs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.SetNull);
                    table.ForeignKey(
                        name: "schedule_fires_schedule_fkey",
                        column: x => x.schedule,
                        principalSchema: "pipelines",
                        principalTable: "schedules",
                        principalColumn: "name",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "runs_running",
                schema: "pipelines",
                table: "runs",
                column: "id",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "schedule_fires_queued",
                schema: "pipelines",
                table: "schedule_fires",
                column: "schedule",
                unique: true,
                filter: "outcome = 'queued'");

            migrationBuilder.CreateIndex(
                name: "schedule_fires_run",
                schema: "pipelines",
                table: "schedule_fires",
                column: "run_id");

            migrationBuilder.CreateIndex(
                name: "schedules_next",
                schema: "pipelines",
                table: "schedules",
                column: "next_fire",
                filter: "paused_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "schedule_fires",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "schedules",
                schema: "pipelines");

            migrationBuilder.DropIndex(
                name: "runs_running",
                schema: "pipelines",
                table: "runs");
        }
    }
}
