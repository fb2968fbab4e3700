using static TorchSharp.torch;

namespace Pipelines.Models;

/// <summary>A place of a model that holds a tensor: what is cut, zeroed and scored, whichever family the model is of.</summary>
/// <param name="name">The checkpoint's name: <c>layer1.0.conv1.weight</c>.</param>
/// <param name="get">The tensor that is there now.</param>
/// <param name="set">Puts another in its place, and disposes the old one.</param>
public sealed class TensorSlot(string name, Func<Tensor> get, Action<Tensor> set)
{
    public string Name => name;

    public Tensor Value => get();

    public void Set(Tensor replacement) => set(replacement);
}
