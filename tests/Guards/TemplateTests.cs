using System.Text.Json;
using Pipelines.Activities;
using Pipelines.Workflows;

namespace Pipelines.Tests.Guards;

/// <summary>The workflows that ship.</summary>
public sealed class TemplateTests
{
    public static TheoryData<string> Templates() =>
        [.. Directory.GetFiles(Repository.File("workflows", "templates")).Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_template_can_be_run_once_its_open_parameters_are_set(string file)
    {
        var fine = Plan.TryCreate(Read(file), ActivityCatalog.Create(), Values(Read(file)), out var plan, out var errors);

        Assert.Empty(errors);
        Assert.True(fine);
        Assert.True(plan.Stages.Count >= Read(file).Stages.Count);
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_template_names_itself_as_its_file_and_says_what_it_does(string file)
    {
        Assert.Equal(".json", Path.GetExtension(file));
        Assert.Equal(Path.GetFileNameWithoutExtension(file), Read(file).Name);
        Assert.False(string.IsNullOrWhiteSpace(Read(file).Description));
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_template_says_what_it_is_for_by_its_outputs(string file) =>
        Assert.NotEmpty(Read(file).Outputs ?? new Dictionary<string, Sources>());

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_template_is_drawn_with_every_stage_in_a_place_of_its_own(string file)
    {
        var definition = Read(file);
        var layout = Assert.NotNull(definition.Layout).EnumerateObject().ToArray();
        var places = layout.Select(at => (at.Value.GetProperty("x").GetDouble(), at.Value.GetProperty("y").GetDouble()));

        Assert.Equal(definition.Stages.Select(stage => stage.Id).Order(), layout.Select(at => at.Name).Order());
        Assert.Equal(layout.Length, places.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_parameter_of_a_template_has_a_use(string file)
    {
        var definition = Read(file);
        var used = Json.Write(definition.Stages).GetRawText();

        Assert.All(
            (definition.Parameters ?? new Dictionary<string, ParameterDefinition>()).Keys,
            name => Assert.Matches($@"(\$\{{[^}}]*|""(when|until)"":""[^""]*)\b{name}\b", used));
    }

    private static WorkflowDefinition Read(string file) =>
        WorkflowFile.Read(Repository.File("workflows", "templates", file));

    private static Dictionary<string, JsonElement> Values(WorkflowDefinition definition) =>
        (definition.Parameters ?? new Dictionary<string, ParameterDefinition>())
            .Where(parameter => parameter.Value.Default is null)
            .ToDictionary(parameter => parameter.Key, parameter => Any(parameter.Value.Type));

    private static JsonElement Any(ParameterType type) => type switch
    {
        ParameterType.Text => JsonElement.Parse("\"text\""),
        ParameterType.Path => JsonElement.Parse("\"/some/where\""),
        ParameterType.Number => JsonElement.Parse("0.5"),
        ParameterType.Integer => JsonElement.Parse("2"),
        _ => JsonElement.Parse("true"),
    };
}
