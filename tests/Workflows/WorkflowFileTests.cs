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
}
