using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Pipelines.Storage.Migrations
{
    /// <inheritdoc />
    public partial class RunAgain : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "fresh",
                schema: "pipelines",
                table: "stages",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "fresh",
                schema: "pipelines",
                table: "stages");
        }
    }
}
