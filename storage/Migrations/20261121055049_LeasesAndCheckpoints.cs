using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class LeasesAndCheckpoints : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "backoff",
                schema: "pipelines",
                table: "stages",
                type: "double precision",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.AddColumn<long>(
                name: "crash_step",
                schema: "pipelines",
                table: "stages",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "crashes",
                schema: "pipelines",
                table: "stages",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "lease_until",
                schema: "pipelines",
                table: "stages",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "max_crashes",
                schema: "pipelines",
                table: "stages",
                type: "integer",
                nullable: false,
                defaultValue: 3);

            migrationBuilder.AddColumn<double>(
                name: "timeout",
                schema: "pipelines",
                table: "stages",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "from_step",
                schema: "pipelines",
                table: "attempts",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "checkpoints",
                schema: "pipelines",
                columns: table => new
                {
                    run_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    hash = table.Column<string>(type: "text", nullable: false),
                    saved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("checkpoints_pkey", x => new { x.run_id, x.stage });
                    table.ForeignKey(
                        name: "checkpoints_stage_fkey",
                        columns: x => new { x.run_id, x.stage },
                        principalSchema: "pipelines",
                        principalTable: "stages",
                        principalColumns: new[] { "run_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "stages_lease",
                schema: "pipelines",
                table: "stages",
                column: "lease_until",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "checkpoints_hash",
                schema: "pipelines",
                table: "checkpoints",
                column: "hash");

            // What runs without a lease belongs to a worker of the version before: it lapses like any other.
            migrationBuilder.Sql(
                "UPDATE pipelines.stages SET lease_until = now() + interval '1 minute' WHERE state = 'running'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "checkpoints",
                schema: "pipelines");

            migrationBuilder.DropIndex(
                name: "stages_lease",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "backoff",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "crash_step",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "crashes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "lease_until",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "max_crashes",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "timeout",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "from_step",
                schema: "pipelines",
                table: "attempts");
        }
    }
}
