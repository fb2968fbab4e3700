using Pipelines.Activities.Gates;
using Pipelines.Activities.Modeling;
using Pipelines.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Pipelines.Activities.Pruning;

/// <summary>
/// LoRAPrune's state: a running importance of every unit, and masks that close while the adapters train. A masked unit's
/// output is 0, as if it were cut; what is masked stays so.
/// </summary>
internal sealed class LoraPruneMasks : StepWork, IDisposable
{
    private const double Memory = 0.9;

    private readonly List<Gate> gates = [];
    private readonly SparsitySchedule schedule;
    private readonly int interval;

    /// <param name="interval">Steps from one tightening to the next.</param>
    public LoraPruneMasks(IEnumerable<LinearSite> sites, SparsitySchedule schedule, int interval)
    {
        (this.schedule, this.interval) = (schedule, interval);
        gates.AddRange(sites.Select(site => new Gate(site)));
        Hook = new MaskHook(gates.ToDictionary(gate => gate.Site.Reader));
    }

    /// <summary>Silences what is masked, in a forward pass.</summary>
    public LinearHook Hook { get; }

    public override IReadOnlyList<(string Name, Tensor Tensor)> Kept =>
        [.. gates.SelectMany(gate => new[] { ($"{gate.Site.Name}.importance", gate.Importance), ($"{gate.Site.Name}.mask", gate.Mask) })];

    /// <summary>The units of each site that are not masked.</summary>
    public IReadOnlyList<(LinearSite Site, int[] Units)> Open() =>
        [.. gates.Select(gate => (gate.Site, gate.Mask.data<float>().ToArray().Index().Where(unit => unit.Item != 0).Select(unit => unit.Index).ToArray()))];

    public override void BeforeUpdate(int index)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var entries = gates.SelectMany(gate => gate.Site.Linears).Select(member => member.Linear).Distinct()
            .ToDictionary(linear => linear, LoraImportance.Entries);
        Tensor[] found = [.. gates.Select(gate => LoraImportance.Units(gate.Site, linear => entries[linear]))];
        if (found.Any(units => !units.isfinite().all().ToBoolean()))
            return;
        foreach (var (gate, units) in gates.Zip(found))
            gate.Importance.mul_(Memory).add_(units.cpu(), 1 - Memory);
    }

    public override void AfterUpdate(int index, OptimizerHelper optimizer)
    {
        if ((index + 1) % interval != 0 && index + 1 != schedule.Steps - schedule.CoolDown)
            return;
        foreach (var gate in gates)
            gate.Close(schedule.At(index + 1));
    }

    public void Dispose() => gates.ForEach(gate => gate.Dispose());

    private sealed class Gate : IDisposable
    {
        // [in] of the reader: the unit that a channel belongs to.
        private readonly Tensor unitOf;

        public Gate(LinearSite site)
        {
            Site = site;
            Importance = zeros(site.Count, dtype: ScalarType.Float64).DetachFromDisposeScope();
            Mask = ones(site.Count).DetachFromDisposeScope();
            var channels = new long[site.Reader.Weight.shape[1]];
            for (var unit = 0; unit < site.Count; unit++)
            {
                foreach (var channel in site.ReaderChannels([unit]))
                    channels[channel] = unit;
            }

            unitOf = tensor(channels).DetachFromDisposeScope();
        }

        public LinearSite Site { get; }

        /// <summary>[units], double, on the CPU.</summary>
        public Tensor Importance { get; }

        /// <summary>[units], float32, on the CPU: 0 where the unit is silenced.</summary>
        public Tensor Mask { get; }

        /// <summary>Silences the least important <c>int(sparsity · n)</c>, those that are silent already among them; one always stays.</summary>
        public void Close(double sparsity)
        {
            using var scope = NewDisposeScope();
            var (importance, mask) = (Importance.data<double>().ToArray(), Mask.data<float>().ToArray());
            var silent = Math.Min((int)(sparsity * Site.Count), Site.Count - 1);
            var lowest = Enumerable.Range(0, Site.Count)
                .OrderBy(unit => mask[unit]).ThenBy(unit => importance[unit]).ThenBy(unit => unit).Take(silent);
            Mask.index_fill_(0, tensor(lowest.Select(unit => (long)unit).ToArray()), 0);
        }

        /// <param name="input">[…, in].</param>
        public Tensor Silence(Tensor input) => input * Mask.index_select(0, unitOf).to(input.device).to(input.dtype);

        public void Dispose()
        {
            unitOf.Dispose();
            Importance.Dispose();
            Mask.Dispose();
        }
    }

    private sealed class MaskHook(Dictionary<Linear, Gate> gates) : LinearHook
    {
        public override Tensor Before(Linear linear, Tensor input) =>
            gates.TryGetValue(linear, out var gate) ? gate.Silence(input) : input;
    }
}
