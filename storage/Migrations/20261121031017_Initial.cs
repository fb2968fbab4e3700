using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "pipelines");

            migrationBuilder.CreateTable(
                name: "results",
                schema: "pipelines",
                columns: table => new
                {
                    key = table.Column<string>(type: "text", nullable: false),
                    outputs = table.Column<string>(type: "jsonb", nullable: false),
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("results_pkey", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "runs",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    use_cache = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancel_requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    definition = table.Column<string>(type: "jsonb", nullable: false),
                    parameters = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("runs_pkey", x => x.id);
                    table.CheckConstraint("runs_state", "state IN ('running', 'succeeded', 'failed', 'cancelled')");
                });

            migrationBuilder.CreateTable(
                name: "workers",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    pid = table.Column<int>(type: "integer", nullable: false),
                    groups = table.Column<string[]>(type: "text[]", nullable: false),
                    slots = table.Column<int>(type: "integer", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("workers_pkey", x => x.id);
                    table.CheckConstraint("workers_slots", "slots > 0");
                });

            migrationBuilder.CreateTable(
                name: "stages",
                schema: "pipelines",
                columns: table => new
                {
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<string>(type: "text", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    gpu = table.Column<int>(type: "integer", nullable: false),
                    group = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    max_attempts = table.Column<int>(type: "integer", nullable: false),
                    unfinished_feeders = table.Column<int>(type: "integer", nullable: false),
                    feeds = table.Column<string[]>(type: "text[]", nullable: false),
                    inputs = table.Column<string>(type: "jsonb", nullable: false),
                    parameters = table.Column<string>(type: "jsonb", nullable: false),
                    ready_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    progress = table.Column<string>(type: "jsonb", nullable: true),
                    outputs = table.Column<string>(type: "jsonb", nullable: true),
                    cache_key = table.Column<string>(type: "text", nullable: true),
                    reused = table.Column<bool>(type: "boolean", nullable: false),
                    error = table.Column<string>(type: "text", nullable: true),
                    error_detail = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("stages_pkey", x => new { x.run_id, x.id });
                    table.CheckConstraint("stages_running_has_worker", "state <> 'running' OR worker IS NOT NULL");
                    table.CheckConstraint("stages_state", "state IN ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled', 'blocked')");
                    table.CheckConstraint("stages_succeeded_has_outputs", "state <> 'succeeded' OR outputs IS NOT NULL");
                    table.CheckConstraint("stages_unfinished_feeders", "unfinished_feeders >= 0");
                    table.ForeignKey(
                        name: "stages_run_id_fkey",
                        column: x => x.run_id,
                        principalSchema: "pipelines",
                        principalTable: "runs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "attempts",
                schema: "pipelines",
                columns: table => new
                {
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    outcome = table.Column<string>(type: "text", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("attempts_pkey", x => new { x.run_id, x.stage, x.attempt });
                    table.CheckConstraint("attempts_outcome", "outcome IN ('succeeded', 'reused', 'failed', 'cancelled', 'handed-back', 'lost')");
                    table.ForeignKey(
                        name: "attempts_stage_fkey",
                        columns: x => new { x.run_id, x.stage },
                        principalSchema: "pipelines",
                        principalTable: "stages",
                        principalColumns: new[] { "run_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "stage_logs",
                schema: "pipelines",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("stage_logs_pkey", x => x.id);
                    table.ForeignKey(
                        name: "stage_logs_stage_fkey",
                        columns: x => new { x.run_id, x.stage },
                        principalSchema: "pipelines",
                        principalTable: "stages",
                        principalColumns: new[] { "run_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "runs_newest",
                schema: "pipelines",
                table: "runs",
                column: "created_at",
                descending: new bool[0]);

            migrationBuilder.CreateIndex(
                name: "stage_logs_of_stage",
                schema: "pipelines",
                table: "stage_logs",
                columns: new[] { "run_id", "stage", "id" });

            migrationBuilder.CreateIndex(
                name: "stages_of_worker",
                schema: "pipelines",
                table: "stages",
                column: "worker",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "stages_open",
                schema: "pipelines",
                table: "stages",
                column: "run_id",
                filter: "state IN ('waiting', 'ready', 'running')");

            migrationBuilder.CreateIndex(
                name: "stages_ready_of_run",
                schema: "pipelines",
                table: "stages",
                columns: new[] { "run_id", "ready_at", "position" },
                filter: "state = 'ready'");

            migrationBuilder.CreateIndex(
                name: "stages_ready_oldest",
                schema: "pipelines",
                table: "stages",
                columns: new[] { "ready_at", "position" },
                filter: "state = 'ready'");

            // By hand: what each index is for, seen in psql with \di+.
            migrationBuilder.Sql("""
                COMMENT ON INDEX pipelines.runs_newest IS 'the list of runs, newest first';
                COMMENT ON INDEX pipelines.stages_ready_oldest IS 'claiming the oldest ready stage, however many wait';
                COMMENT ON INDEX pipelines.stages_ready_of_run IS 'claiming the next ready stage of the same run';
                COMMENT ON INDEX pipelines.stages_open IS 'whether a run has ended: no entry is left';
                COMMENT ON INDEX pipelines.stages_of_worker IS 'what a worker runs, asked at each heartbeat';
                COMMENT ON INDEX pipelines.stage_logs_of_stage IS 'a log from where its reader stopped; the foreign key';
                """);

            // By hand: Quartz makes its own tables, but not the schema that they lie in.
            migrationBuilder.EnsureSchema(
                name: "quartz");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempts",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "results",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "stage_logs",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "workers",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "stages",
                schema: "pipelines");

            migrationBuilder.DropTable(
                name: "runs",
                schema: "pipelines");
        }
    }
}
