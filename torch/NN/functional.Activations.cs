namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        // Each is the method of the same name.
        public static partial class functional
        {
            public static Tensor elu(Tensor x, double alpha) => x.elu(alpha);
            public static Tensor gelu(Tensor x) => x.gelu();
            public static Tensor glu(Tensor input, long dim = -1) => input.glu(dim);
            public static Tensor hardsigmoid(Tensor input) => input.hardsigmoid();
            public static Tensor hardswish(Tensor input) => input.hardswish();
            public static Tensor hardtanh(Tensor x, double min_val = -1, double max_val = 1) =>
                x.hardtanh(min_val, max_val);
            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01) =>
                input.leaky_relu(negative_slope);
            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);
            public static Tensor logsigmoid(Tensor x) => x.log_sigmoid();
            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_() : x.relu();
            public static Tensor relu6(Tensor x) => x.relu6();
            public static Tensor sigmoid(Tensor x) => x.sigmoid();
            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_() : x.silu();
            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);
            public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) =>
                x.softplus(beta, threshold);
            public static Tensor tanh(Tensor x) => x.tanh();
        }
    }
}
