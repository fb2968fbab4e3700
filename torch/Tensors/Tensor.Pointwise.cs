using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>How a quotient is rounded.</summary>
    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }

    public partial class Tensor
    {
        public Tensor abs() => Aten.Call("abs", this);
        public Tensor abs_() => Aten.Change("abs_", this);
        public Tensor acos() => Aten.Call("acos", this);
        public Tensor add(Tensor target) => Aten.Call("add.Tensor", this, target);
        public Tensor add(Tensor target, Scalar alpha) => Aten.Call("add.Tensor", this, target, alpha);
        public Tensor add(Scalar scalar) => Aten.Call("add.Scalar", this, scalar);
        public Tensor add_(Tensor target) => Aten.Change("add_.Tensor", this, target);
        public Tensor add_(Tensor target, Scalar alpha) => Aten.Change("add_.Tensor", this, target, alpha);
        public Tensor add_(Scalar scalar) => Aten.Change("add_.Scalar", this, scalar);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Aten.Call("addcdiv", this, tensor1, tensor2);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.Call("addcdiv", this, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => Aten.Change("addcdiv_", this, tensor1, tensor2);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.Change("addcdiv_", this, tensor1, tensor2, value);
        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.Call("addcmul", this, tensor1, tensor2, value);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) =>
            Aten.Change("addcmul_", this, tensor1, tensor2, value);
        public Tensor asin() => Aten.Call("asin", this);
        public Tensor atan() => Aten.Call("atan", this);
        public Tensor atan2(Tensor other) => Aten.Call("atan2", this, other);
        public Tensor ceil() => Aten.Call("ceil", this);
        public Tensor ceil_() => Aten.Change("ceil_", this);
        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Aten.Call("clamp", this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Aten.Call("clamp.Tensor", this, min, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Aten.Change("clamp_", this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Aten.Change("clamp_.Tensor", this, min, max);
        public Tensor clamp_max(Scalar max) => Aten.Call("clamp_max", this, max);
        public Tensor clamp_max_(Scalar max) => Aten.Change("clamp_max_", this, max);
        public Tensor clamp_min(Scalar min) => Aten.Call("clamp_min", this, min);
        public Tensor clamp_min_(Scalar min) => Aten.Change("clamp_min_", this, min);
        public Tensor cos() => Aten.Call("cos", this);
        public Tensor cos_() => Aten.Change("cos_", this);
        public Tensor cosh() => Aten.Call("cosh", this);
        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            Aten.Call("div.Tensor_mode", this, target, Name(rounding_mode));
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            Aten.Call("div.Scalar_mode", this, target, Name(rounding_mode));
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            Aten.Change("div_.Tensor_mode", this, target, Name(rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            Aten.Change("div_.Scalar_mode", this, target, Name(rounding_mode));
        public Tensor erf() => Aten.Call("erf", this);
        public Tensor erf_() => Aten.Change("erf_", this);
        public Tensor erfinv() => Aten.Call("erfinv", this);
        public Tensor exp() => Aten.Call("exp", this);
        public Tensor exp_() => Aten.Change("exp_", this);
        public Tensor exp2() => Aten.Call("exp2", this);
        public Tensor expm1() => Aten.Call("expm1", this);
        public Tensor fill_(Scalar value) => Aten.Change("fill_.Scalar", this, value);
        public Tensor floor() => Aten.Call("floor", this);
        public Tensor floor_() => Aten.Change("floor_", this);
        public Tensor floor_divide(Tensor other) => Aten.Call("floor_divide", this, other);
        public Tensor floor_divide(Scalar other) => Aten.Call("floor_divide.Scalar", this, other);
        public Tensor fmod(Tensor target) => Aten.Call("fmod.Tensor", this, target);
        public Tensor fmod(Scalar scalar) => Aten.Call("fmod.Scalar", this, scalar);
        public Tensor frac() => Aten.Call("frac", this);
        public Tensor lerp(Tensor end, Tensor weight) => Aten.Call("lerp.Tensor", this, end, weight);
        public Tensor lerp_(Tensor end, Tensor weight) => Aten.Change("lerp_.Tensor", this, end, weight);
        public Tensor log() => Aten.Call("log", this);
        public Tensor log_() => Aten.Change("log_", this);
        public Tensor log10() => Aten.Call("log10", this);
        public Tensor log1p() => Aten.Call("log1p", this);
        public Tensor log1p_() => Aten.Change("log1p_", this);
        public Tensor log2() => Aten.Call("log2", this);
        public Tensor log2_() => Aten.Change("log2_", this);
        public Tensor logit(double? eps = null) => Aten.Call("logit", this, eps);
        public Tensor masked_fill(Tensor mask, Scalar value) => Aten.Call("masked_fill.Scalar", this, mask, value);
        public Tensor masked_fill_(Tensor mask, Scalar value) => Aten.Change("masked_fill_.Scalar", this, mask, value);
        public Tensor maximum(Tensor other) => Aten.Call("maximum", this, other);
        public Tensor minimum(Tensor other) => Aten.Call("minimum", this, other);
        public Tensor mul(Tensor target) => Aten.Call("mul.Tensor", this, target);
        public Tensor mul(Scalar target) => Aten.Call("mul.Scalar", this, target);
        public Tensor mul_(Tensor target) => Aten.Change("mul_.Tensor", this, target);
        public Tensor mul_(Scalar target) => Aten.Change("mul_.Scalar", this, target);
        public Tensor multiply(Tensor target) => mul(target);
        public Tensor multiply(Scalar target) => mul(target);
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) =>
            Aten.Call("nan_to_num", this, nan, posinf, neginf);
        public Tensor neg() => Aten.Call("neg", this);
        public Tensor neg_() => Aten.Change("neg_", this);
        public Tensor negative() => neg();
        public Tensor pow(Tensor exponent) => Aten.Call("pow.Tensor_Tensor", this, exponent);
        public Tensor pow(Scalar exponent) => Aten.Call("pow.Tensor_Scalar", this, exponent);
        public Tensor pow_(Tensor exponent) => Aten.Change("pow_.Tensor", this, exponent);
        public Tensor pow_(Scalar exponent) => Aten.Change("pow_.Scalar", this, exponent);
        public Tensor reciprocal() => Aten.Call("reciprocal", this);
        public Tensor reciprocal_() => Aten.Change("reciprocal_", this);
        public Tensor remainder(Tensor target) => Aten.Call("remainder.Tensor", this, target);
        public Tensor remainder(Scalar scalar) => Aten.Call("remainder.Scalar", this, scalar);
        public Tensor round(long decimals = 0) => Aten.Call("round.decimals", this, decimals);
        public Tensor round_(long decimals = 0) => Aten.Change("round_.decimals", this, decimals);
        public Tensor rsqrt() => Aten.Call("rsqrt", this);
        public Tensor rsqrt_() => Aten.Change("rsqrt_", this);
        public Tensor sigmoid() => Aten.Call("sigmoid", this);
        public Tensor sigmoid_() => Aten.Change("sigmoid_", this);
        public Tensor sign() => Aten.Call("sign", this);
        public Tensor sign_() => Aten.Change("sign_", this);
        public Tensor sin() => Aten.Call("sin", this);
        public Tensor sin_() => Aten.Change("sin_", this);
        public Tensor sinh() => Aten.Call("sinh", this);
        public Tensor sqrt() => Aten.Call("sqrt", this);
        public Tensor sqrt_() => Aten.Change("sqrt_", this);
        public Tensor square() => Aten.Call("square", this);
        public Tensor sub(Tensor target) => Aten.Call("sub.Tensor", this, target);
        public Tensor sub(Scalar target) => Aten.Call("sub.Scalar", this, target);
        public Tensor sub_(Tensor target) => Aten.Change("sub_.Tensor", this, target);
        public Tensor sub_(Scalar target) => Aten.Change("sub_.Scalar", this, target);
        public Tensor subtract(Tensor target) => sub(target);
        public Tensor subtract(Scalar target) => sub(target);
        public Tensor tan() => Aten.Call("tan", this);
        public Tensor tanh() => Aten.Call("tanh", this);
        public Tensor tanh_() => Aten.Change("tanh_", this);
        public Tensor trunc() => Aten.Call("trunc", this);
        public Tensor where(Tensor condition, Tensor y) => Aten.Call("where.self", condition, this, y);
        public Tensor xlogy(Tensor y) => Aten.Call("xlogy.Tensor", this, y);
        public Tensor zero_() => Aten.Change("zero_", this);

        internal Tensor rsub(Scalar left) => Aten.Call("rsub.Scalar", this, left);

        private static string? Name(RoundingMode mode) => mode == RoundingMode.None ? null : mode.ToString();
    }
}
