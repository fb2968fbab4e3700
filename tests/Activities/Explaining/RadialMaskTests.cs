using Pipelines.Activities.Explaining;
using Pipelines.Tests.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Pipelines.Tests.Activities.Explaining;

public sealed class RadialMaskTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(32, 1)]
    [InlineData(64, 2)]
    [InlineData(8, 0.25)]
    public void A_mask_is_one_at_its_centre_and_falls_off_as_a_gaussian_at_any_size(int size, double pixels)
    {
        // Centre (12, 20) and σ 4 in 32nds of the width.
        var mask = RadialMask.Of(tensor([12f, 20f, 4f], [1, 3]), size);

        Assert.Equal([1, 1, size, size], mask.shape);
        Near.Equal(1, At(12, 20));
        Near.Equal(Math.Exp(-0.5), At(16, 20));
        Near.Equal(Math.Exp(-0.5), At(12, 16));
        Near.Equal(Math.Exp(-2), At(20, 20));
        Near.Equal(Math.Exp(-1), At(16, 24));
        Near.Equal(1, mask.max());

        Tensor At(int right, int down) => mask[0, 0, (long)(down * pixels), (long)(right * pixels)];
    }

    [Fact]
    public void What_a_selector_gives_stays_within_reach()
    {
        var places = RadialMask.Places(tensor([0f, 14f, 0f, -1000f, 1000f, 10f], [2, 3]));

        Near.Equal([16, 14 * Math.Tanh(1) + 16, Math.Log(2), 2, 30, 10 + Math.Log(1 + Math.Exp(-10))], places, 1e-5);
    }

    [Fact]
    public void Gradients_of_places_and_mask_are_finite_where_sigma_vanishes()
    {
        var parameters = tensor([0f, 0f, -200f, 3f, 4f, 5f], [2, 3], requires_grad: true);

        RadialMask.Of(RadialMask.Places(parameters), 8).sum().backward();

        Assert.True(parameters.grad!.isfinite().all().ToBoolean());
        Assert.True(parameters.grad[1].ne(0).all().ToBoolean());
    }

    [Fact]
    public void Places_by_chance_fill_their_range_and_follow_from_the_generator()
    {
        var places = RadialMask.Random(2000, 5, 11, new Generator(4), CPU);

        var (low, high) = (places.amin(0).data<float>().ToArray(), places.amax(0).data<float>().ToArray());
        Assert.All(low.Zip([2.0, 2, 5]), pair => Assert.InRange(pair.First, pair.Second, pair.Second + 0.1));
        Assert.All(high.Zip([30.0, 30, 11]), pair => Assert.InRange(pair.First, pair.Second - 0.1, pair.Second));
        Near.Equal([16, 16, 8], places.mean([0]), 0.6);
        Assert.True(places.Equals(RadialMask.Random(2000, 5, 11, new Generator(4), CPU)));
    }

    [Fact]
    public void A_relaxed_pixel_is_near_the_ends_where_it_is_sharp()
    {
        var p = tensor([0.2f, 0.5f, 0.9f, 1f, 0f], requires_grad: true);
        var half = full(5, 0.5);

        // With u = ½ and T = 1 it is p itself, and with p = ½ it is u.
        Near.Equal([0.2, 0.5, 0.9, 1, 0], MaskSample.Relaxed(p, half, 1), 1e-6);
        Near.Equal([1.0 / 5, 1 / 2.0, 9 / 10.0, 1, 0], MaskSample.Relaxed(half, p.detach(), 1), 1e-6);
        Near.Equal([0, 0.5, 1, 1, 0], MaskSample.Relaxed(p, half, 0.1), 1e-3);
        MaskSample.Relaxed(p, half, 1).sum().backward();
        Near.Equal([1, 1, 1, 0, 0], p.grad!, 1e-4);
    }

    [Fact]
    public void Showing_costs_by_the_power_and_unevenness_by_neighbours_and_borders()
    {
        // Differences of 2 and 3 along the rows and down the columns; every pixel is a corner, so it is on two borders.
        var mask = tensor([0f, 2f, 2f, 5f], [1, 1, 2, 2]);

        Near.Equal((4 + 9 + 4 + 9 + 0.3 * 2 * (0 + 4 + 4 + 25)) / 2, MaskSample.Unevenness(mask), 1e-5);
        Near.Equal((4 + 9 + 4 + 9 + 0.3 * 2 * (0 + 4 + 4 + 25)) / 2, MaskSample.Unevenness(cat([mask, mask])), 1e-5);
        Near.Equal((Math.Pow(0.0005, 0.3) + 2 * Math.Pow(2.0005, 0.3) + Math.Pow(5.0005, 0.3)) / 4, MaskSample.Area(mask, 0.3), 1e-6);
        Near.Equal(0.3 * 0.25 * 12 / 2, MaskSample.Unevenness(full([1, 1, 3, 3], 0.5)), 1e-6);
    }
}
