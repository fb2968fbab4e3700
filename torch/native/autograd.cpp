// Gradients: the engine, the modes, and functions whose backward is written in C#.
#include "abi.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <stdexcept>

namespace pt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// How a C# backward is reached. `run` writes one gradient handle per input (null for none, ownership passes here) and
// returns null, or the GCHandle of the exception that it threw.
struct ManagedFunction final : torch::CustomClassHolder {
  void* context;
  void* (*run)(void* context, AutogradContext* saved, const Handle* gradients, int32_t count, Handle* results,
               int32_t inputs);
  void (*free)(void* handle);
  int32_t inputs;

  ~ManagedFunction() override { free(context); }
};

// What C# hands over once its forward has run.
struct Application {
  c10::intrusive_ptr<ManagedFunction> function;
  variable_list outputs, saved, dirty, constant;
  bool materialize;
};

struct Bridge : torch::autograd::Function<Bridge> {
  static variable_list forward(AutogradContext* context, Application* application, at::TensorList) {
    context->saved_data["function"] = c10::IValue::make_capsule(application->function);
    context->save_for_backward(application->saved);
    context->mark_dirty(application->dirty);
    context->mark_non_differentiable(application->constant);
    context->set_materialize_grads(application->materialize);
    return application->outputs;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto holder = context->saved_data["function"].toCapsule();
    auto& function = static_cast<ManagedFunction&>(*holder);
    std::vector<Handle> given, results(function.inputs, nullptr);
    for (const auto& gradient : gradients)
      given.push_back(gradient.defined() ? gradient.unsafeGetTensorImpl() : nullptr);
    void* thrown = function.run(function.context, context, given.data(), static_cast<int32_t>(given.size()),
                                results.data(), function.inputs);
    variable_list wanted(1);  // `application` is no tensor and has no gradient
    for (auto* result : results) wanted.emplace_back(result ? at::Tensor(TensorPtr::reclaim(result)) : at::Tensor());
    if (thrown) throw ManagedException(thrown, function.free);
    return wanted;
  }
};

}  // namespace
}  // namespace pt

using namespace pt;

PT_API bool pt_requires_grad(Handle tensor) { return tensor->requires_grad(); }

PT_API int32_t pt_set_requires_grad(Handle tensor, bool value) {
  return attempt([&] { borrow(tensor).requires_grad_(value); });
}

PT_API bool pt_is_leaf(Handle tensor) { return borrow(tensor).is_leaf(); }

PT_API int32_t pt_retain_grad(Handle tensor) {
  return attempt([&] { borrow(tensor).retain_grad(); });
}

// The gradient's handle; null when there is none.
PT_API Handle pt_gradient(Handle tensor) {
  return guarded(static_cast<Handle>(nullptr), [&] { return release(borrow(tensor).mutable_grad()); });
}

PT_API int32_t pt_set_gradient(Handle tensor, Handle gradient) {
  return attempt([&] {
    const auto target = borrow(tensor);
    const auto value = borrow(gradient);
    if (value.defined() && (value.sizes() != target.sizes() || value.dtype() != target.dtype()))
      throw std::invalid_argument("a gradient has the shape and dtype of its tensor");
    target.mutable_grad() = value;
  });
}

PT_API int32_t pt_backward(const Handle* tensors, int64_t count, const Handle* gradients, int64_t gradient_count,
                           bool retain_graph, bool create_graph, const Handle* inputs, int64_t input_count) {
  return attempt([&] {
    adopt_threads();
    torch::autograd::backward(borrow_all(tensors, count), borrow_all(gradients, gradient_count), retain_graph,
                              create_graph, borrow_all(inputs, input_count));
  });
}

// Writes one handle per input; null where an input is not used and `allow_unused` is set.
PT_API int32_t pt_grad(const Handle* outputs, int64_t count, const Handle* inputs, int64_t input_count,
                       const Handle* gradients, int64_t gradient_count, bool retain_graph, bool create_graph,
                       bool allow_unused, Handle* results) {
  return attempt([&] {
    adopt_threads();
    const auto found = torch::autograd::grad(borrow_all(outputs, count), borrow_all(inputs, input_count),
                                             borrow_all(gradients, gradient_count), retain_graph, create_graph,
                                             allow_unused);
    for (const auto& gradient : found) *results++ = release(gradient);
  });
}

PT_API bool pt_grad_mode() { return c10::GradMode::is_enabled(); }

PT_API void pt_set_grad_mode(bool enabled) { c10::GradMode::set_enabled(enabled); }

PT_API c10::InferenceMode* pt_inference_mode(bool enabled) { return new c10::InferenceMode(enabled); }

PT_API void pt_inference_mode_end(c10::InferenceMode* mode) { delete mode; }

PT_API bool pt_is_inference_mode() { return c10::InferenceMode::is_enabled(); }

// ---- functions whose backward is C#

struct pt_tensors {
  const Handle* items;
  int64_t count;
};

// Joins outputs that C# computed to the inputs that they came from. Writes one new handle per output. `free` is called
// with `context` when the last graph that uses it is gone, also when this fails.
PT_API int32_t pt_apply_function(void* context, decltype(ManagedFunction::run) run, void (*free)(void*),
                                 const pt_tensors* inputs, const pt_tensors* outputs, const pt_tensors* saved,
                                 const pt_tensors* dirty, const pt_tensors* constant, bool materialize,
                                 Handle* results) {
  auto function = c10::make_intrusive<ManagedFunction>();
  function->context = context;
  function->run = run;
  function->free = free;
  function->inputs = static_cast<int32_t>(inputs->count);
  return attempt([&] {
    const auto list = [](const pt_tensors* tensors) { return borrow_all(tensors->items, tensors->count); };
    Application application{function, list(outputs), list(saved), list(dirty), list(constant), materialize};
    const auto given = list(inputs);
    for (const auto& output : Bridge::apply(&application, at::TensorList(given))) *results++ = release(output);
  });
}

PT_API int64_t pt_saved_count(AutogradContext* context) {
  return guarded(int64_t{-1}, [&] { return static_cast<int64_t>(context->get_saved_variables().size()); });
}

// Writes a new handle per tensor that was saved; null for one that was saved as none.
PT_API int32_t pt_saved(AutogradContext* context, Handle* results) {
  return attempt([&] {
    for (const auto& tensor : context->get_saved_variables()) *results++ = release(tensor);
  });
}
