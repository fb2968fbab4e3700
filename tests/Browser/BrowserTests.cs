using Pipelines.Tests.Fixtures;

namespace Pipelines.Tests.Browser;

/// <summary>Each test has a database and a data folder of its own: what one leaves behind, its schedules say, would act in the next.</summary>
public abstract class BrowserTests(TestCluster cluster, Chromium chromium) : IAsyncLifetime
{
    /// <summary>Of one test, ms.</summary>
    protected const int Longest = 180_000;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected FreshDatabase Fresh { get; } = new(cluster);

    public ValueTask InitializeAsync() => Fresh.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Fresh.DisposeAsync();
    }

    /// <param name="arguments">Of <c>serve</c>, beside where it listens.</param>
    protected Task<Studio> OpenAsync(params string[] arguments) => Studio.OpenAsync(Fresh, chromium, arguments);
}
