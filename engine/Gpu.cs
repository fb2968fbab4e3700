using Pipelines.Storage;

namespace Pipelines.Engine;

/// <summary>The one GPU of a worker: however many slots it has, one of them at a time takes stages that need it.</summary>
internal sealed class Gpu : IDisposable
{
    private readonly SemaphoreSlim claiming = new(1);
    private volatile bool taken;

    /// <summary>The groups to claim from. Slots claim one after the other, so that two do not claim the GPU.</summary>
    public async Task<Reservation> ReserveAsync(IReadOnlyList<string> serve)
    {
        await claiming.WaitAsync();
        return new Reservation(taken ? [.. serve.Where(group => group != StageGroup.Gpu)] : serve, claiming);
    }

    public void Take() => taken = true;

    public void Release() => taken = false;

    public void Dispose() => claiming.Dispose();

    public sealed class Reservation(IReadOnlyList<string> groups, SemaphoreSlim claiming) : IDisposable
    {
        public IReadOnlyList<string> Groups => groups;

        public void Dispose() => claiming.Release();
    }
}
