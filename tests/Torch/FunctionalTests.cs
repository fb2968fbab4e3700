using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace Pipelines.Tests.Torch;

/// <summary>Numbers from PyTorch 1.13 where they are not plain.</summary>
public sealed class FunctionalTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory, Devices]
    public void Measures_cross_entropy(string device)
    {
        var logits = tensor([1f, 2f, 0.5f, 0f, -1f, 3f], [2, 3], device: device);

        Near.Equal(0.26512635, F.cross_entropy(logits, tensor([1L, 2L], device: device)));
        Near.Equal(0.46436879, F.cross_entropy(logits, tensor([1L, -100L], device: device)));
        Near.Equal(0.42345971, F.cross_entropy(logits, tensor([1L, 2L], device: device), label_smoothing: 0.1));
        Assert.Equal(
            [2], F.cross_entropy(logits, tensor([1L, 2L], device: device), reduction: Reduction.None).shape);
    }

    [Theory, Devices]
    public void Measures_divergence_and_distance(string device)
    {
        var logits = tensor([1f, 2f, 0.5f, 0f, -1f, 3f], [2, 3], device: device);
        var (p, q) = (logits.log_softmax(1), logits.flip(1).log_softmax(1));

        Near.Equal(2.71437025, F.kl_div(p, q, reduction: Reduction.Sum));
        Near.Equal(2.71437025, F.kl_div(p, q.exp(), log_target: false, Reduction.Sum));
        Near.Equal(0.45239508, F.kl_div(p, q));
        Near.Equal(2.5, F.mse_loss(tensor([1f, 2f], device: device), tensor([2f, 4f], device: device)));
        Near.Equal(1.5, F.l1_loss(tensor([1f, 2f], device: device), tensor([2f, 4f], device: device)));
    }

    [Theory, Devices]
    public void Applies_layers(string device)
    {
        var x = tensor([1f, 2f, 4f], [1, 3], device: device);

        Near.Equal([7.5], F.linear(x, ones([1, 3], float32, device), full([1], 0.5, float32, device)));
        Near.Equal(
            [-1.06904137, -0.53452063, 5.00890541],
            F.layer_norm(x, [3], tensor([1f, 2f, 3f], device: device), tensor([0f, 0f, 1f], device: device)));
        Near.Equal([0, 0, 1, 0], F.one_hot(tensor(2L, device: device), 4));
        Near.Equal([0, 2, 1, 3, 4, 6, 5, 7], F.pixel_shuffle(arange(8f, device: device).view(1, 4, 1, 2), 2));
        Near.Equal([1, 2, 4], F.dropout(x, 0.5, training: false));
        Near.Equal([0.21821789, 0.43643578, 0.87287156], F.normalize(x));
    }

    [Theory, Devices]
    public void Normalizes_a_batch_and_keeps_running_values(string device)
    {
        var x = tensor([1f, 2f, 3f, 6f], [2, 2], device: device);
        var (mean, variance) = (zeros([2], float32, device), ones([2], float32, device));

        Near.Equal([-0.99999499, -0.99999875, 0.99999499, 0.99999875], F.batch_norm(x, mean, variance, training: true));
        Near.Equal([0.2, 0.4], mean);
        Near.Equal([1.1, 1.7], variance);
        Near.Equal([0.76276723, 1.22713827, 2.66968525, 4.29498393], F.batch_norm(x, mean, variance), 1e-5);
    }

    [Theory, Devices]
    public void Convolves_and_pools(string device)
    {
        var x = arange(16, float32, device).reshape(1, 1, 4, 4);
        var kernel = tensor([1f, 0f, 0f, -1f], [1, 1, 2, 2], device: device);

        Near.Equal([-4.5, -4.5, -4.5, -4.5], F.conv2d(x, kernel, full([1], 0.5, float32, device), [2, 2]));
        Assert.Equal([1, 1, 5, 5], F.conv2d(x, kernel, padding: [1, 1]).shape);
        Near.Equal([5, 7, 13, 15], F.max_pool2d(x, 2));
        Near.Equal([2.5, 4.5, 10.5, 12.5], F.avg_pool2d(x, [2, 2]));
        Near.Equal([7.5], F.adaptive_avg_pool2d(x, 1));
        Near.Equal([0, 1, 4, 5], F.unfold(x, 2)[0, TensorIndex.Colon, 0]);
        Assert.Equal([1, 1, 4, 6], F.pad(x, [1, 1]).shape);
    }

    [Theory, Devices]
    public void Attends_causally(string device)
    {
        var q = tensor([1f, 0f, 0f, 1f, 1f, 1f], [1, 3, 2], device: device);
        var v = tensor([1f, 2f, 3f, 4f, 5f, 6f], [1, 3, 2], device: device);

        Near.Equal(
            [1, 2, 2.33952284, 3.33952308, 3.51046968, 4.51046944],
            F.scaled_dot_product_attention(q, q, v, is_casual: true));
    }

    [Theory, Devices]
    public void Clips_gradients_to_a_norm(string device)
    {
        var p = Parameter(tensor([3f, 4f], device: device));
        (p * p).sum().backward();

        Assert.Equal(10, utils.clip_grad_norm_([p], 5), 1e-6);
        Near.Equal([3, 4], p.grad!, 1e-5);
        Assert.Equal(5, utils.clip_grad_norm_([p], 50), 1e-5);
        Near.Equal([3, 4], p.grad!, 1e-5);
    }

    [Fact]
    public void Starts_parameters()
    {
        var p = Parameter(empty(64, 32));

        init.kaiming_uniform_(p, a: Math.Sqrt(5));
        var bound = 1 / Math.Sqrt(32);
        Assert.True(p.abs().max().ToDouble() <= bound);
        Assert.Equal(bound / Math.Sqrt(3), p.std().ToDouble(), bound / 10);
        Near.Equal([0, 0], init.zeros_(empty(2)));
        Near.Equal([1, 1], init.ones_(empty(2)));
        Assert.True(p.is_leaf && p.requires_grad);
    }
}
