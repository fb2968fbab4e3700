using Pipelines.Models;
using static TorchSharp.torch;

namespace Pipelines.Activities.Unlearning;

/// <summary>
/// All parameters of a network as one vector, as closed-form unlearning moves them. What a mask has zeroed is held at zero:
/// its gradient is 0 and no change reaches it.
/// </summary>
internal sealed class ParameterVector : IDisposable
{
    private readonly ImageClassifier network;
    private readonly Tensor[] tensors;
    private readonly Tensor keep;

    /// <param name="network">In evaluation mode; its parameters want gradients from now on.</param>
    public ParameterVector(ImageClassifier network)
    {
        this.network = network;
        tensors = [.. network.NamedParameters().Select(parameter => parameter.Tensor.requires_grad_())];
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        keep = cat([.. tensors.Select(tensor => (tensor.ndim > 1 ? tensor.ne(0) : ones_like(tensor, ScalarType.Bool)).reshape(-1))])
            .to(ScalarType.Float32).DetachFromDisposeScope();
    }

    public long Count => keep.shape[0];

    public Device Device => keep.device;

    /// <summary>The gradient of a scalar, [parameters], float32.</summary>
    /// <param name="again">Whether the same graph is differentiated once more.</param>
    public Tensor Gradient(Tensor value, bool again = false)
    {
        using var scope = NewDisposeScope();
        var gradients = autograd.grad([value], tensors, retain_graph: again);
        return (cat([.. gradients.Select(gradient => gradient.reshape(-1))]) * keep).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the parameters by a vector, float64.</summary>
    public void Add(Tensor change)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var parts = (change * keep).split([.. tensors.Select(tensor => tensor.numel())]);
        foreach (var (tensor, part) in tensors.Zip(parts))
            tensor.copy_((tensor.to(ScalarType.Float64) + part.view(tensor.shape)).to(tensor.dtype));
    }

    public void Dispose()
    {
        foreach (var tensor in network.NamedParameters().Select(parameter => parameter.Tensor))
            tensor.requires_grad_(false);
        keep.Dispose();
    }
}
