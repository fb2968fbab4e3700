using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A tensor to be trained. It takes over the given one, which becomes empty.</summary>
            public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A tensor that an optimizer trains.</summary>
    public sealed class Parameter : torch.Tensor
    {
        public Parameter(torch.Tensor data, bool requires_grad = true)
            : this(data.requires_grad_(requires_grad), data.OwningDisposeScope)
        {
        }

        private Parameter(torch.Tensor data, DisposeScope? scope)
            : base(data.MoveHandle(), scope)
        {
        }
    }
}
