namespace Pipelines.Tests.Guards;

/// <summary>
/// Scopes of tensors belong to a thread. Stages have one of their own, so they may await; a test goes on on another, and what
/// it left open is found by a test that has nothing to do with it.
/// </summary>
public sealed class ScopeTests
{
    [Fact]
    public void No_test_awaits_inside_a_scope_of_tensors()
    {
        var tests = Repository.Sources(".cs").Where(file => file.StartsWith("tests/", StringComparison.Ordinal)).ToArray();

        Assert.Contains("tests/Torch/DisposeScopeTests.cs", tests);
        Assert.Empty(tests.SelectMany(file => Faults(file, File.ReadAllLines(Repository.File(file)))));
    }

    [Theory]
    [InlineData("    using var scope = NewDisposeScope();\n    x();\n    await y();\n", 1)]
    [InlineData("    await y();\n    using var scope = NewDisposeScope();\n", 0)]
    [InlineData("        using var scope = NewDisposeScope();\n    }\n\n    await y();\n", 0)]
    public void A_scope_ends_with_its_block(string source, int faults) => Assert.Equal(faults, Faults("it", source.Split('\n')).Count());

    private static IEnumerable<string> Faults(string file, string[] lines) =>
        from line in lines.Index()
        where line.Item.TrimStart().StartsWith("using var ", StringComparison.Ordinal) && line.Item.Contains("NewDisposeScope()", StringComparison.Ordinal)
        where lines.Skip(line.Index + 1).TakeWhile(after => after.Length == 0 || Indent(after) >= Indent(line.Item))
            .Any(after => after.Contains("await ", StringComparison.Ordinal))
        select $"{file}:{line.Index + 1}";

    [Fact]
    public void No_class_with_tests_that_await_keeps_a_scope_of_tensors() =>
        Assert.Empty(
            from file in Repository.Sources(".cs")
            where file.StartsWith("tests/", StringComparison.Ordinal)
            let source = File.ReadAllText(Repository.File(file))
            where source.Contains("readonly DisposeScope scope", StringComparison.Ordinal) && source.Contains("async Task", StringComparison.Ordinal)
            where !file.EndsWith("ScopeTests.cs", StringComparison.Ordinal)
            select file);

    private static int Indent(string line) => line.Length - line.TrimStart().Length;
}
