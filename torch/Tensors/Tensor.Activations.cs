using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor elu(double alpha = 1) => Aten.Call("elu", this, alpha);
        public Tensor gelu() => Aten.Call("gelu", this);
        public Tensor glu(long dim = -1) => Aten.Call("glu", this, dim);
        public Tensor hardsigmoid() => Aten.Call("hardsigmoid", this);
        public Tensor hardswish() => Aten.Call("hardswish", this);
        public Tensor hardtanh(Scalar min, Scalar max) => Aten.Call("hardtanh", this, min, max);
        public Tensor leaky_relu(Scalar negative_slope) => Aten.Call("leaky_relu", this, negative_slope);
        public Tensor log_sigmoid() => Aten.Call("log_sigmoid", this);
        public Tensor log_softmax(long dim, ScalarType? dtype = null) =>
            Aten.Call("log_softmax.int", this, dim, dtype);
        public Tensor relu() => Aten.Call("relu", this);
        public Tensor relu_() => Aten.Change("relu_", this);
        public Tensor relu6() => Aten.Call("relu6", this);
        public Tensor silu() => Aten.Call("silu", this);
        public Tensor silu_() => Aten.Change("silu_", this);
        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.Call("softmax.int", this, dim, dtype);
        public Tensor softplus(double beta = 1, double threshold = 20) =>
            Aten.Call("softplus", this, beta, threshold);
        public Tensor threshold(Scalar threshold, Scalar value) => Aten.Call("threshold", this, threshold, value);
    }
}
