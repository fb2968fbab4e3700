using Pipelines.Activities.Pruning;
using Pipelines.Models;
using Pipelines.Tests.Fixtures;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities;

/// <summary>
/// What DSnoT does to what a narrow model's linears put out, on a real one: why its released settings are not the defaults.
/// The numbers in docs/methods.md are these.
/// </summary>
public sealed class DsnotErrorTests(ITestOutputHelper output)
{
    /// <summary>
    /// Of ‖(W − W′)x‖² that Wanda leaves at half of the weights, a twelfth is the mean's. The released settings take that away and
    /// double the whole; the defaults take less than half of it, and the whole falls with it.
    /// </summary>
    [Fact]
    public void The_released_settings_mend_the_mean_and_double_the_error_and_the_defaults_lower_both()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var model = CausalFolder.Load(Golden.Shared("models/wikitext-llama"), CPU);
        var text = Tokenizer.Load(Golden.Shared("models/wikitext-llama")).Encode(File.ReadAllText(Golden.Shared("data/wikitext-2/valid.txt")));
        var hidden = model.Embed(stack([.. Enumerable.Range(0, 16).Select(i => tensor(text.Skip(i * 5000).Take(256).Select(id => (long)id).ToArray()))]));
        var (positions, defaults) = (model.Positions(256), new DsnotPrune.Parameters());
        var released = new Tally(new DsnotOptions());
        var chosen = new Tally(new DsnotOptions(defaults.Cycles, defaults.Threshold, defaults.Power, null, defaults.Formula));
        foreach (var block in model.Blocks)
        {
            block.Observe(hidden, positions, new InputHook((linear, input) =>
            {
                released.Add(linear, input);
                chosen.Add(linear, input);
            }));
            hidden = block.Forward(hidden, positions);
        }

        output.WriteLine($"released: {released}");
        output.WriteLine($"defaults: {chosen}");
        Assert.InRange(released.MeansShare, 0.05, 0.12);
        Assert.InRange(released.Error, 1.7, 2.3);
        Assert.InRange(released.Exchanges, 15, 25);
        Assert.InRange(chosen.Error, 0.95, 0.99);
        Assert.InRange(chosen.Mean, 0.4, 0.7);
        Assert.InRange(chosen.Exchanges, 0.2, 1);
    }

    /// <summary>Over linears: geometric means of what an error is multiplied by, arithmetic ones of the rest.</summary>
    private sealed class Tally(DsnotOptions options)
    {
        private readonly List<(double Share, double Error, double Mean, double Exchanges)> linears = [];

        public double MeansShare => linears.Average(one => one.Share);

        public double Error => Math.Exp(linears.Average(one => Math.Log(one.Error)));

        public double Mean => Math.Exp(linears.Average(one => Math.Log(one.Mean)));

        public double Exchanges => linears.Average(one => one.Exchanges);

        public void Add(Linear linear, Tensor input)
        {
            using var scope = NewDisposeScope();
            using var moments = new DsnotMoments(options.Formula);
            moments.Add(input);
            var initial = WandaPrune.Mask(linear.Weight, moments.MeanSquare, 0.5, null, linear.Name);
            var refined = Dsnot.Refine(linear.Weight, initial, moments, options, linear.Name);
            var (weight, x) = (linear.Weight.to(ScalarType.Float64), input.reshape(-1, input.shape[^1]).to(ScalarType.Float64));
            var (before, after) = (Of(initial), Of(refined));
            linears.Add((before.Mean / before.All, after.All / before.All, after.Mean / before.Mean, refined.ne(initial).sum().ToInt64() / 2.0 / weight.shape[0]));

            // E‖(W − W′)x‖² and ‖E (W − W′)x‖².
            (double All, double Mean) Of(Tensor mask)
            {
                var lost = x.matmul((weight * mask).t());
                return (lost.square().sum([1L]).mean().ToDouble(), lost.mean([0L]).square().sum().ToDouble());
            }
        }

        public override string ToString() => FormattableString.Invariant(
            $"the mean's share {MeansShare:f3}, then squared error × {Error:f3}, squared mean × {Mean:f3}, {Exchanges:f1} exchanges a row");
    }
}
