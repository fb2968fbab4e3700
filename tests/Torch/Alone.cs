namespace Pipelines.Tests.Torch;

/// <summary>Tests of what the whole process has one of: they run beside no other test.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
