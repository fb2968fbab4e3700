using Pipelines.Workflows;

namespace Pipelines.Tests.Workflows;

public sealed class WorkflowFileTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Theory]
    [InlineData("{ \"name\": \"w\", \n \"stages\": [ ", "line 2")]
    [InlineData("{ \"name\": \"w\", \"stagse\": [] }", "stagse")]
    [InlineData("{ \"stages\": [] }", "name")]
    [InlineData("{ \"name\": \"w\", \"stages\": [ { \"id\": \"a\", \"kind\": \"k\", \"inputs\": { \"p\": \"a.b\", \"p\": \"a.c\" } } ] }", "stages[0].inputs")]
    [InlineData("{ \"name\": null, \"stages\": [] }", "name")]
    public void Names_the_file_and_the_place_of_a_fault(string text, string says)
    {
        File.WriteAllText(path, text);

        var error = Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(path));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Says_when_there_is_no_file() =>
        Assert.Contains(
            "cannot be read", Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(path + ".none")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Refuses_a_document_that_is_too_large_without_reading_it()
    {
        using (var file = new FileStream(path, FileMode.Open))
            file.SetLength(1L << 40);

        var error = Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read(path));

        Assert.Equal(
            $"{path}: a workflow has 10000000 bytes at most, this is 1099511627776 bytes; what is large belongs in files that its parameters name",
            error.Message);
    }

    [Fact]
    public void Stops_reading_what_has_no_end() =>
        Assert.Contains("this is more", Assert.Throws<WorkflowFileException>(() => WorkflowFile.Read("/dev/zero")).Message, StringComparison.Ordinal);

    [Fact]
    public void Reads_a_document_of_ten_thousand_stages()
    {
        var stages = Enumerable.Range(0, 10_000).Select(i => $$"""{ "id": "stage-{{i}}", "kind": "data.synthetic", "parameters": { "seed": {{i}}, "characters": 2000, "evaluationCharacters": 1000 } }""");
        File.WriteAllText(path, $$"""{ "name": "many", "stages": [ {{string.Join(",\n", stages)}} ] }""");

        Assert.Equal(10_000, WorkflowFile.Read(path).Stages.Count);
    }
}
