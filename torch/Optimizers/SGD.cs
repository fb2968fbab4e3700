using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static SGD SGD(
                IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0,
                double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<SGD.ParamGroup> parameters, double learningRate, double momentum = 0, double dampening = 0,
                double weight_decay = 0, bool nesterov = false, bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Stochastic gradient descent. The momentum buffer starts as the first gradient, as in PyTorch.</summary>
    public sealed class SGD : OptimizerHelper
    {
        public SGD(
            IEnumerable<Parameter> parameters, double lr, double momentum = 0, double dampening = 0,
            double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : this(
                [new ParamGroup { Parameters = parameters }], lr, momentum, dampening, weight_decay, nesterov, maximize)
        {
        }

        /// <exception cref="ArgumentOutOfRangeException">A rate, momentum or decay is negative.</exception>
        /// <exception cref="ArgumentException">Nesterov without momentum, or with dampening.</exception>
        public SGD(
            IEnumerable<ParamGroup> parameters, double lr, double momentum = 0, double dampening = 0,
            double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : base(Checked(lr, momentum, dampening, weight_decay, nesterov, maximize), parameters)
        {
        }

        private protected override OptimizerOptions NewOptions() => new Options();

        private protected override OptimizerState NewState(Parameter parameter, OptimizerOptions options) =>
            new State(parameter);

        private protected override void Update(
            Parameter parameter, torch.Tensor gradient, OptimizerOptions options, OptimizerState state)
        {
            var (set, memory) = ((Options)options, (State)state);
            var momentum = set.momentum!.Value;
            if (set.maximize!.Value)
                gradient = gradient.neg();
            if (set.weight_decay != 0)
                gradient = gradient.add(parameter, set.weight_decay!.Value);
            if (momentum != 0)
            {
                if (memory.momentum_buffer is { } buffer)
                    buffer.mul_(momentum).add_(gradient, 1 - set.dampening!.Value);
                else
                    memory.momentum_buffer = gradient.detach().clone();
                gradient = set.nesterov!.Value
                    ? gradient.add(memory.momentum_buffer!, momentum)
                    : memory.momentum_buffer!;
            }

            memory.step++;
            parameter.add_(gradient, -set.LearningRate!.Value);
        }

        private static Options Checked(
            double lr, double momentum, double dampening, double weight_decay, bool nesterov, bool maximize)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(lr);
            ArgumentOutOfRangeException.ThrowIfNegative(momentum);
            ArgumentOutOfRangeException.ThrowIfNegative(weight_decay);
            if (nesterov && (momentum == 0 || dampening != 0))
                throw new ArgumentException("Nesterov's momentum needs a momentum, and no dampening");
            return new Options
            {
                LearningRate = lr,
                momentum = momentum,
                dampening = dampening,
                weight_decay = weight_decay,
                nesterov = nesterov,
                maximize = maximize,
            };
        }

        public sealed class Options : OptimizerOptions
        {
            public double? momentum { get; set; }

            public double? dampening { get; set; }

            public double? weight_decay { get; set; }

            public bool? nesterov { get; set; }

            public bool? maximize { get; set; }

            public override void SaveStateDict(BinaryWriter writer)
            {
                base.SaveStateDict(writer);
                writer.Write(momentum!.Value);
                writer.Write(dampening!.Value);
                writer.Write(weight_decay!.Value);
                writer.Write(nesterov!.Value);
                writer.Write(maximize!.Value);
            }

            public override void LoadStateDict(BinaryReader reader)
            {
                base.LoadStateDict(reader);
                momentum = reader.ReadDouble();
                dampening = reader.ReadDouble();
                weight_decay = reader.ReadDouble();
                nesterov = reader.ReadBoolean();
                maximize = reader.ReadBoolean();
            }

            internal override void FillFrom(OptimizerOptions defaults)
            {
                var given = (Options)defaults;
                LearningRate ??= given.LearningRate;
                momentum ??= given.momentum;
                dampening ??= given.dampening;
                weight_decay ??= given.weight_decay;
                nesterov ??= given.nesterov;
                maximize ??= given.maximize;
            }
        }

        public sealed class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options)
            {
            }

            public ParamGroup(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double momentum = 0, double dampening = 0,
                double weight_decay = 0, bool nesterov = false, bool maximize = false)
                : base(parameters, Checked(lr, momentum, dampening, weight_decay, nesterov, maximize))
            {
            }
        }

        public sealed class State : OptimizerState
        {
            internal State(Parameter parameter)
                : base(parameter, 1)
            {
            }

            /// <summary>Null before the first step.</summary>
            public torch.Tensor? momentum_buffer
            {
                get => Get(0);
                set => Set(0, value);
            }
        }
    }
}
