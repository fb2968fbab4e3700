using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public bool requires_grad
        {
            get
            {
                var value = LibTorch.pt_requires_grad(Handle);
                GC.KeepAlive(this);
                return value;
            }
            set => requires_grad_(value);
        }

        /// <summary>Made by the user, not by an operation on tensors that require gradients.</summary>
        public bool is_leaf
        {
            get
            {
                var value = LibTorch.pt_is_leaf(Handle);
                GC.KeepAlive(this);
                return value;
            }
        }

        /// <summary>
        /// The gradient that <see cref="backward()"/> left here, or null. Every read makes a tensor object on the same
        /// memory, for the current dispose scope.
        /// </summary>
        public Tensor? grad
        {
            get
            {
                var gradient = LibTorch.pt_gradient(Handle);
                GC.KeepAlive(this);
                return gradient == 0 ? null : new Tensor(gradient);
            }

            set
            {
                TorchException.Check(LibTorch.pt_set_gradient(Handle, value?.Handle ?? 0), nameof(grad), this, value);
                GC.KeepAlive(value);
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            if (requires_grad == this.requires_grad)
                return this;
            TorchException.Check(LibTorch.pt_set_requires_grad(Handle, requires_grad), nameof(requires_grad_), this);
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        /// <summary>Keeps the gradient of a tensor that is not a leaf.</summary>
        public void retain_grad()
        {
            TorchException.Check(LibTorch.pt_retain_grad(Handle), nameof(retain_grad), this);
            GC.KeepAlive(this);
        }

        /// <summary>Adds to the gradient of every leaf that this one-element tensor was computed from.</summary>
        public void backward() => autograd.backward(this);

        public void backward(
            IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false,
            IList<Tensor>? inputs = null) =>
            autograd.backward(this, grad_tensors, retain_graph, create_graph, inputs);
    }
}
