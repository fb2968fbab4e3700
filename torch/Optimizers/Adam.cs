using TorchSharp.Modules;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public static Adam Adam(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<Adam.ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Adam (Kingma and Ba, arXiv:1412.6980), with AMSGrad (Reddi et al.) on request.</summary>
    public class Adam : OptimizerHelper
    {
        public Adam(
            IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
            double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            : this([new ParamGroup { Parameters = parameters }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize)
        {
        }

        /// <exception cref="ArgumentOutOfRangeException">
        /// A rate, decay or eps is negative, or a beta is not in [0, 1).
        /// </exception>
        public Adam(
            IEnumerable<ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
            double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            : base(
                new Options
                {
                    LearningRate = NotNegative(lr),
                    beta1 = Fraction(beta1),
                    beta2 = Fraction(beta2),
                    eps = NotNegative(eps),
                    weight_decay = NotNegative(weight_decay),
                    amsgrad = amsgrad,
                    maximize = maximize,
                },
                parameters)
        {
        }

        /// <summary>Adam adds the decay to the gradient.</summary>
        private protected virtual torch.Tensor Decay(Parameter parameter, torch.Tensor gradient, Options options) =>
            options.weight_decay == 0 ? gradient : gradient.add(parameter, options.weight_decay!.Value);

        private protected override OptimizerOptions NewOptions() => new Options();

        private protected override OptimizerState NewState(Parameter parameter, OptimizerOptions options) =>
            new State(parameter, ((Options)options).amsgrad!.Value);

        private protected override void Update(
            Parameter parameter, torch.Tensor gradient, OptimizerOptions options, OptimizerState state)
        {
            var (set, memory) = ((Options)options, (State)state);
            var (beta1, beta2) = (set.beta1!.Value, set.beta2!.Value);
            gradient = Decay(parameter, set.maximize!.Value ? gradient.neg() : gradient, set);

            memory.step++;
            memory.exp_avg.mul_(beta1).add_(gradient, 1 - beta1);
            memory.exp_avg_sq.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
            var second = memory.exp_avg_sq;
            if (set.amsgrad!.Value)
            {
                memory.max_exp_avg_sq = torch.maximum(memory.max_exp_avg_sq!, second);
                second = memory.max_exp_avg_sq;
            }

            var correction1 = 1 - Math.Pow(beta1, memory.step);
            var correction2 = 1 - Math.Pow(beta2, memory.step);
            var denominator = second.sqrt().div_(Math.Sqrt(correction2)).add_(set.eps!.Value);
            parameter.addcdiv_(memory.exp_avg, denominator, -set.LearningRate!.Value / correction1);
        }

        private static double NotNegative(
            double value,
            [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(value))] string? name = null)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, name);
            return value;
        }

        private static double Fraction(
            double value,
            [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(value))] string? name = null)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(value, 1, name);
            return NotNegative(value, name);
        }

        public sealed class Options : OptimizerOptions
        {
            public double? beta1 { get; set; }

            public double? beta2 { get; set; }

            public double? weight_decay { get; set; }

            public double? eps { get; set; }

            public bool? amsgrad { get; set; }

            public bool? maximize { get; set; }

            public override void SaveStateDict(BinaryWriter writer)
            {
                base.SaveStateDict(writer);
                writer.Write(beta1!.Value);
                writer.Write(beta2!.Value);
                writer.Write(eps!.Value);
                writer.Write(weight_decay!.Value);
                writer.Write(amsgrad!.Value);
                writer.Write(maximize!.Value);
            }

            public override void LoadStateDict(BinaryReader reader)
            {
                base.LoadStateDict(reader);
                beta1 = reader.ReadDouble();
                beta2 = reader.ReadDouble();
                eps = reader.ReadDouble();
                weight_decay = reader.ReadDouble();
                amsgrad = reader.ReadBoolean();
                maximize = reader.ReadBoolean();
            }

            internal override void FillFrom(OptimizerOptions defaults)
            {
                var given = (Options)defaults;
                LearningRate ??= given.LearningRate;
                beta1 ??= given.beta1;
                beta2 ??= given.beta2;
                eps ??= given.eps;
                weight_decay ??= given.weight_decay;
                amsgrad ??= given.amsgrad;
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
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                : base(
                    parameters,
                    new Options
                    {
                        LearningRate = lr,
                        beta1 = beta1,
                        beta2 = beta2,
                        eps = eps,
                        weight_decay = weight_decay,
                        amsgrad = amsgrad,
                        maximize = maximize,
                    })
            {
            }
        }

        public sealed class State : OptimizerState
        {
            internal State(Parameter parameter, bool amsgrad)
                : base(parameter, 3)
            {
                exp_avg = torch.zeros_like(parameter);
                exp_avg_sq = torch.zeros_like(parameter);
                max_exp_avg_sq = amsgrad ? torch.zeros_like(parameter) : null;
            }

            public torch.Tensor exp_avg
            {
                get => Get(0)!;
                set => Set(0, value);
            }

            public torch.Tensor exp_avg_sq
            {
                get => Get(1)!;
                set => Set(1, value);
            }

            public torch.Tensor? max_exp_avg_sq
            {
                get => Get(2);
                set => Set(2, value);
            }
        }
    }
}
