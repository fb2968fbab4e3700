using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class ControlFlowAndWorkers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "stages_state",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.AddColumn<string[]>(
                name: "devices",
                schema: "pipelines",
                table: "workers",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "drain_requested_at",
                schema: "pipelines",
                table: "workers",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "slots_by_group",
                schema: "pipelines",
                table: "workers",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<string>(
                name: "branches",
                schema: "pipelines",
                table: "stages",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "conditions",
                schema: "pipelines",
                table: "stages",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "device",
                schema: "pipelines",
                table: "stages",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "gated",
                schema: "pipelines",
                table: "stages",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string[]>(
                name: "held",
                schema: "pipelines",
                table: "stages",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<string>(
                name: "isolation",
                schema: "pipelines",
                table: "stages",
                type: "text",
                nullable: false,
                defaultValue: "none");

            migrationBuilder.AddColumn<string>(
                name: "key_parts",
                schema: "pipelines",
                table: "stages",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "reason",
                schema: "pipelines",
                table: "stages",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "use_cache",
                schema: "pipelines",
                table: "stages",
                type: "boolean",
                nullable: false,
                defaultValue: true);

            migrationBuilder.AddColumn<string>(
                name: "variables",
                schema: "pipelines",
                table: "stages",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "request_key",
                schema: "pipelines",
                table: "runs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "device",
                schema: "pipelines",
                table: "attempts",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "exit_code",
                schema: "pipelines",
                table: "attempts",
                type: "integer",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "stages_isolation",
                schema: "pipelines",
                table: "stages",
                sql: "isolation IN ('none', 'process')");

            migrationBuilder.AddCheckConstraint(
                name: "stages_state",
                schema: "pipelines",
                table: "stages",
                sql: "state IN ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled', 'blocked', 'skipped')");

            migrationBuilder.CreateIndex(
                name: "runs_of_name",
                schema: "pipelines",
                table: "runs",
                columns: new[] { "name", "created_at" },
                descending: new[] { false, true });

            migrationBuilder.CreateIndex(
                name: "runs_request_key",
                schema: "pipelines",
                table: "runs",
                column: "request_key",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "stages_isolation",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropCheckConstraint(
                name: "stages_state",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropIndex(
                name: "runs_of_name",
                schema: "pipelines",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_request_key",
                schema: "pipelines",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "devices",
                schema: "pipelines",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "drain_requested_at",
                schema: "pipelines",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "slots_by_group",
                schema: "pipelines",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "branches",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "conditions",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "device",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "gated",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "held",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "isolation",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "key_parts",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "reason",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "use_cache",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "variables",
                schema: "pipelines",
                table: "stages");

            migrationBuilder.DropColumn(
                name: "request_key",
                schema: "pipelines",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "device",
                schema: "pipelines",
                table: "attempts");

            migrationBuilder.DropColumn(
                name: "exit_code",
                schema: "pipelines",
                table: "attempts");

            migrationBuilder.AddCheckConstraint(
                name: "stages_state",
                schema: "pipelines",
                table: "stages",
                sql: "state IN ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled', 'blocked')");
        }
    }
}
