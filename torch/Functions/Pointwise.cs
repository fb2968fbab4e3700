using TorchSharp.Interop;

namespace TorchSharp;

// Each is the method of the same name on its first tensor.
public static partial class torch
{
    public static Tensor abs(Tensor input) => input.abs();
    public static Tensor acos(Tensor input) => input.acos();
    public static Tensor add(Tensor input, Tensor target) => input.add(target);
    public static Tensor add(Tensor input, Tensor target, Scalar alpha) => input.add(target, alpha);
    public static Tensor add(Tensor input, Scalar scalar) => input.add(scalar);
    public static Tensor addcdiv(Tensor input, Tensor tensor1, Tensor tensor2) => input.addcdiv(tensor1, tensor2);
    public static Tensor addcdiv(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) =>
        input.addcdiv(tensor1, tensor2, value);
    public static Tensor addcmul(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) =>
        input.addcmul(tensor1, tensor2, value);
    public static Tensor asin(Tensor input) => input.asin();
    public static Tensor atan(Tensor input) => input.atan();
    public static Tensor atan2(Tensor input, Tensor other) => input.atan2(other);
    public static Tensor ceil(Tensor input) => input.ceil();
    public static Tensor clamp(Tensor input, Scalar? min = null, Scalar? max = null) => input.clamp(min, max);
    public static Tensor clamp(Tensor input, Tensor? min = null, Tensor? max = null) => input.clamp(min, max);
    public static Tensor clamp_max(Tensor input, Scalar max) => input.clamp_max(max);
    public static Tensor clamp_min(Tensor input, Scalar min) => input.clamp_min(min);
    public static Tensor cos(Tensor input) => input.cos();
    public static Tensor cosh(Tensor input) => input.cosh();
    public static Tensor div(Tensor input, Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
        input.div(target, rounding_mode);
    public static Tensor div(Tensor input, Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
        input.div(target, rounding_mode);
    public static Tensor erf(Tensor input) => input.erf();
    public static Tensor erfinv(Tensor input) => input.erfinv();
    public static Tensor exp(Tensor input) => input.exp();
    public static Tensor exp2(Tensor input) => input.exp2();
    public static Tensor expm1(Tensor input) => input.expm1();
    public static Tensor floor(Tensor input) => input.floor();
    public static Tensor floor_divide(Tensor input, Tensor other) => input.floor_divide(other);
    public static Tensor floor_divide(Tensor input, Scalar other) => input.floor_divide(other);
    public static Tensor fmod(Tensor input, Tensor target) => input.fmod(target);
    public static Tensor fmod(Tensor input, Scalar scalar) => input.fmod(scalar);
    public static Tensor frac(Tensor input) => input.frac();
    public static Tensor lerp(Tensor input, Tensor end, Tensor weight) => input.lerp(end, weight);
    public static Tensor log(Tensor input) => input.log();
    public static Tensor log10(Tensor input) => input.log10();
    public static Tensor log1p(Tensor input) => input.log1p();
    public static Tensor log2(Tensor input) => input.log2();
    public static Tensor logit(Tensor input, double? eps = null) => input.logit(eps);
    public static Tensor maximum(Tensor input, Tensor other) => input.maximum(other);
    public static Tensor minimum(Tensor input, Tensor other) => input.minimum(other);
    public static Tensor mul(Tensor input, Tensor target) => input.mul(target);
    public static Tensor mul(Tensor input, Scalar target) => input.mul(target);
    public static Tensor multiply(Tensor input, Tensor target) => input.multiply(target);
    public static Tensor multiply(Tensor input, Scalar target) => input.multiply(target);
    public static Tensor nan_to_num(Tensor input, double nan = 0, double? posinf = null, double? neginf = null) =>
        input.nan_to_num(nan, posinf, neginf);
    public static Tensor neg(Tensor input) => input.neg();
    public static Tensor negative(Tensor input) => input.negative();
    public static Tensor pow(Tensor input, Tensor exponent) => input.pow(exponent);
    public static Tensor pow(Tensor input, Scalar exponent) => input.pow(exponent);
    public static Tensor reciprocal(Tensor input) => input.reciprocal();
    public static Tensor remainder(Tensor input, Tensor target) => input.remainder(target);
    public static Tensor remainder(Tensor input, Scalar scalar) => input.remainder(scalar);
    public static Tensor round(Tensor input, long decimals = 0) => input.round(decimals);
    public static Tensor rsqrt(Tensor input) => input.rsqrt();
    public static Tensor sigmoid(Tensor input) => input.sigmoid();
    public static Tensor sign(Tensor input) => input.sign();
    public static Tensor sin(Tensor input) => input.sin();
    public static Tensor sinh(Tensor input) => input.sinh();
    public static Tensor sqrt(Tensor input) => input.sqrt();
    public static Tensor square(Tensor input) => input.square();
    public static Tensor sub(Tensor input, Tensor target) => input.sub(target);
    public static Tensor sub(Tensor input, Scalar target) => input.sub(target);
    public static Tensor subtract(Tensor input, Tensor target) => input.subtract(target);
    public static Tensor subtract(Tensor input, Scalar target) => input.subtract(target);
    public static Tensor tan(Tensor input) => input.tan();
    public static Tensor tanh(Tensor input) => input.tanh();
    public static Tensor trunc(Tensor input) => input.trunc();
    public static Tensor xlogy(Tensor input, Tensor y) => input.xlogy(y);
    public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

    public static Tensor where(Tensor condition, Tensor x, Tensor y) => x.where(condition, y);

    public static Tensor[] where(Tensor condition) => Aten.CallList("where", condition);
}
