using System.Text.Json.Nodes;
using Pipelines.Tests.Guards;
using Pipelines.Workflows;
using Pipelines.Workflows.Elsa;

namespace Pipelines.Tests.Workflows.Elsa;

public sealed class RoundTripTests
{
    public static TheoryData<string> Samples => [.. ElsaFiles.Samples];

    public static TheoryData<string> Templates() =>
        [.. Directory.GetFiles(Repository.File("workflows", "templates")).Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void An_elsa_workflow_is_written_back_as_it_was(string sample) => ElsaFiles.SurvivesUnchanged(ElsaFiles.Sample(sample));

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_workflow_of_ours_comes_back_from_elsas_json_with_nothing_of_elsas_in_it(string template)
    {
        var definition = WorkflowFile.Read(Repository.File("workflows", "templates", template));

        var elsa = ElsaExport.Write(definition);
        var back = ElsaImport.Read(elsa);

        Assert.Equal(ElsaFiles.Text(definition), ElsaFiles.Text(back.Definition));
        Assert.Empty(back.Warnings);
        Assert.All(definition.Stages, stage => Assert.Contains($"\"name\": \"{stage.Id}\"", elsa, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void Our_own_export_can_be_written_twice(string template) =>
        ElsaFiles.SurvivesUnchanged(ElsaExport.Write(WorkflowFile.Read(Repository.File("workflows", "templates", template))));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_changes_of_real_workflows_survive(int seed)
    {
        var random = new Random(seed);
        var quickstart = ElsaExport.Write(WorkflowFile.Read(Repository.File("workflows", "templates", "quickstart.json")));
        var sweep = ElsaExport.Write(WorkflowFile.Read(Repository.File("workflows", "templates", "llama-sweep.json")));
        string[] beginnings = [.. ElsaFiles.Samples.Select(ElsaFiles.Sample), quickstart, sweep];
        var read = 0;
        for (var round = 0; round < 250; round++)
        {
            var document = JsonNode.Parse(beginnings[random.Next(beginnings.Length)])!.AsObject();
            for (var edits = random.Next(1, 6); edits > 0; edits--)
                RandomEdit.Apply(document, random);
            var text = document.ToJsonString();
            ElsaImported imported;
            try
            {
                imported = ElsaImport.Read(text);
            }
            catch (ElsaException)
            {
                continue;
            }

            read++;
            Assert.Equal(ElsaFiles.Canonical(text), ElsaFiles.Canonical(ElsaFiles.RoundTrip(text)));
            Assert.Equal(
                ElsaFiles.Text(imported.Definition), ElsaFiles.Text(ElsaImport.Read(ElsaExport.Write(imported.Definition)).Definition));
        }

        Assert.InRange(read, 150, 250);
    }
}
