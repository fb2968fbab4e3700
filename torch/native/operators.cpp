// The boxed call: any ATen operator, found by name in c10's dispatcher.
#include "abi.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <type_traits>

namespace pt {
namespace {

// What an operator's schema says of one of its parameters, read once.
struct Parameter {
  std::string name;
  c10::TypeKind type;
  c10::TypeKind element;  // of a list
  int32_t size;           // of a list with a fixed size, as int[2]; else 0
  bool optional;
  bool optional_element;
  // Optional: spelled by what it holds, as LibTorch 1.13 has a type of its own and 2.x the standard's.
  std::decay_t<decltype(std::declval<const c10::Argument&>().default_value())> fallback;
};

struct Operator {
  c10::OperatorHandle handle;
  std::vector<Parameter> parameters;
};

Parameter describe(const c10::Argument& argument) {
  auto unwrap = [](c10::TypePtr type) {
    return type->kind() == c10::TypeKind::OptionalType ? type->expectRef<c10::OptionalType>().getElementType() : type;
  };
  const auto type = unwrap(argument.type());
  const bool optional = argument.type()->kind() == c10::TypeKind::OptionalType;
  Parameter parameter{argument.name(), type->kind(), type->kind(), argument.N().value_or(0), optional, false,
                      argument.default_value()};
  if (type->kind() == c10::TypeKind::ListType) {
    const auto element = type->expectRef<c10::ListType>().getElementType();
    parameter.optional_element = element->kind() == c10::TypeKind::OptionalType;
    parameter.element = unwrap(element)->kind();
  }
  // `Tensor? weight` has no default in many schemas; leaving it out can only mean none.
  if (!parameter.fallback && optional) parameter.fallback = c10::IValue();
  return parameter;
}

[[noreturn]] void mismatch(const Parameter& parameter, const char* given) {
  throw std::invalid_argument("argument '" + parameter.name + "' cannot be " + given);
}

bool is_integral(c10::TypeKind kind) {
  return kind == c10::TypeKind::IntType || kind == c10::TypeKind::SymIntType;
}

c10::IValue read_int(const Parameter& parameter, int64_t value) {
  switch (parameter.type) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
    case c10::TypeKind::NumberType: return value;
    case c10::TypeKind::FloatType: return static_cast<double>(value);
    case c10::TypeKind::BoolType: return value != 0;
    case c10::TypeKind::ListType:
      // One number for int[2] kernel_size, or for int[1] dim.
      if (is_integral(parameter.element)) return std::vector<int64_t>(std::max(parameter.size, 1), value);
      break;
    default: break;
  }
  mismatch(parameter, "an integer");
}

c10::IValue read_int_list(const Parameter& parameter, const int64_t* items, int32_t count) {
  if (parameter.element == c10::TypeKind::FloatType) return std::vector<double>(items, items + count);
  if (is_integral(parameter.element)) return std::vector<int64_t>(items, items + count);
  mismatch(parameter, "a list of integers");
}

c10::IValue read_tensor_list(const Parameter& parameter, const Handle* items, int32_t count) {
  if (parameter.element != c10::TypeKind::TensorType) mismatch(parameter, "a list of tensors");
  if (!parameter.optional_element) return borrow_all(items, count);
  c10::impl::GenericList list(c10::OptionalType::create(c10::TensorType::get()));
  list.reserve(count);
  for (int32_t i = 0; i < count; i++) list.push_back(items[i] ? c10::IValue(borrow(items[i])) : c10::IValue());
  return list;
}

c10::IValue read(const Parameter& parameter, const Value& value) {
  switch (value.kind) {
    case Kind::Default:
      if (!parameter.fallback) mismatch(parameter, "left out");
      return *parameter.fallback;
    case Kind::None:
      if (parameter.optional) return c10::IValue();
      if (parameter.type == c10::TypeKind::TensorType) return at::Tensor();
      mismatch(parameter, "none");
    case Kind::Tensor:
      if (parameter.type != c10::TypeKind::TensorType) mismatch(parameter, "a tensor");
      return borrow(value.tensor);
    case Kind::Int: return read_int(parameter, value.integer);
    case Kind::Double:
      if (parameter.type != c10::TypeKind::FloatType && parameter.type != c10::TypeKind::NumberType)
        mismatch(parameter, "a real number");
      return value.real;
    case Kind::Bool:
      if (parameter.type == c10::TypeKind::TensorType || parameter.type == c10::TypeKind::ListType)
        mismatch(parameter, "a boolean");
      return value.integer != 0;
    case Kind::String:
      if (parameter.type != c10::TypeKind::StringType) mismatch(parameter, "a string");
      return std::string(static_cast<const char*>(value.pointer), value.length);
    case Kind::IntList: return read_int_list(parameter, static_cast<const int64_t*>(value.pointer), value.length);
    case Kind::DoubleList: {
      if (parameter.element != c10::TypeKind::FloatType) mismatch(parameter, "a list of real numbers");
      const auto* items = static_cast<const double*>(value.pointer);
      return std::vector<double>(items, items + value.length);
    }
    case Kind::BoolList: {
      if (parameter.element != c10::TypeKind::BoolType) mismatch(parameter, "a list of booleans");
      const auto* items = static_cast<const bool*>(value.pointer);
      c10::List<bool> list;
      for (int32_t i = 0; i < value.length; i++) list.push_back(items[i]);
      return list;
    }
    case Kind::TensorList: return read_tensor_list(parameter, static_cast<const Handle*>(value.pointer), value.length);
    case Kind::Device:
      if (parameter.type != c10::TypeKind::DeviceObjType) mismatch(parameter, "a device");
      return c10::Device(static_cast<c10::DeviceType>(value.length), static_cast<c10::DeviceIndex>(value.integer));
    case Kind::Generator:
      if (parameter.type != c10::TypeKind::GeneratorType) mismatch(parameter, "a generator");
      return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(
          static_cast<c10::GeneratorImpl*>(const_cast<void*>(value.pointer))));
  }
  mismatch(parameter, "of an unknown kind");
}

Value write(c10::IValue value) {
  Value written{Kind::None, 0, {0}};
  if (value.isTensor()) {
    written.tensor = release(std::move(value).toTensor());
    written.kind = written.tensor ? Kind::Tensor : Kind::None;
  } else if (value.isInt()) {
    written.kind = Kind::Int;
    written.integer = value.toInt();
  } else if (value.isDouble()) {
    written.kind = Kind::Double;
    written.real = value.toDouble();
  } else if (value.isBool()) {
    written.kind = Kind::Bool;
    written.integer = value.toBool();
  } else if (value.isTensorList()) {
    const auto list = value.toTensorVector();
    auto* handles = static_cast<Handle*>(std::malloc(sizeof(Handle) * (list.size() + 1)));
    for (size_t i = 0; i < list.size(); i++) handles[i] = release(list[i]);
    written.kind = Kind::TensorList;
    written.length = static_cast<int32_t>(list.size());
    written.pointer = handles;
  } else if (!value.isNone()) {
    throw std::runtime_error("the operator returns a " + value.tagKind() + ", which C# cannot hold");
  }
  return written;
}

// One stack per thread, reused; an operator that calls back into C# finds it taken and starts with an empty one.
thread_local std::vector<c10::IValue> spare_stack;

}  // namespace
}  // namespace pt

using namespace pt;

// Null when this LibTorch has no such operator.
PT_API Operator* pt_operator(const char* name, const char* overload) {
  return guarded(static_cast<Operator*>(nullptr), [&]() -> Operator* {
    const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!handle) return nullptr;
    auto found = std::make_unique<Operator>(Operator{*handle, {}});
    for (const auto& argument : handle->schema().arguments()) found->parameters.push_back(describe(argument));
    return found.release();
  });
}

// Returns how many results were written, or -1. Where `arguments` is shorter than the schema, the rest take their
// defaults.
PT_API int32_t pt_call(const Operator* op, const Value* arguments, int32_t count, Value* results, int32_t capacity) {
  return guarded(int32_t{-1}, [&] {
    if (static_cast<size_t>(count) > op->parameters.size())
      throw std::invalid_argument("takes " + std::to_string(op->parameters.size()) + " arguments, got " +
                                  std::to_string(count));
    adopt_threads();
    auto stack = std::move(spare_stack);
    stack.clear();
    const Value absent{Kind::Default, 0, {0}};
    for (size_t i = 0; i < op->parameters.size(); i++)
      stack.push_back(read(op->parameters[i], i < static_cast<size_t>(count) ? arguments[i] : absent));
    op->handle.callBoxed(&stack);
    const auto produced = static_cast<int32_t>(stack.size());
    if (produced > capacity) throw std::runtime_error("returns more results than the caller has room for");
    for (int32_t i = 0; i < produced; i++) results[i] = write(std::move(stack[i]));
    stack.clear();
    spare_stack = std::move(stack);
    return produced;
  });
}

PT_API void pt_free(void* memory) { std::free(memory); }
