// What crosses between C# and C++: handles, tagged values, and the last error of a thread. Nothing here throws across.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#define PT_API extern "C" __attribute__((visibility("default")))

namespace pt {

// A tensor handle is the TensorImpl itself with one reference held: no allocation beside LibTorch's own.
using Handle = at::TensorImpl*;
using TensorPtr = c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;

inline at::Tensor borrow(Handle handle) {
  return handle ? at::Tensor(TensorPtr::reclaim_copy(handle)) : at::Tensor();
}

inline Handle release(at::Tensor tensor) {
  return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr;
}

inline std::vector<at::Tensor> borrow_all(const Handle* handles, int64_t count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int64_t i = 0; i < count; i++) tensors.push_back(borrow(handles[i]));
  return tensors;
}

enum class Kind : int32_t {
  Default, None, Tensor, Int, Double, Bool, String, IntList, DoubleList, BoolList, TensorList, Device, Generator
};

// Sixteen bytes, laid out as NativeValue in C#. `length` counts a list's items or a string's bytes.
struct Value {
  Kind kind;
  int32_t length;
  union {
    int64_t integer;
    double real;
    const void* pointer;
    Handle tensor;
  };
};
static_assert(sizeof(Value) == 16, "C# lays this out by hand");

// An exception that started in C# and passes through LibTorch on its way back to C#. `thrown` is a GCHandle.
class ManagedException : public std::exception {
 public:
  ManagedException(void* thrown, void (*free)(void*)) : thrown(thrown, free) {}
  const char* what() const noexcept override { return "a C# callback threw"; }
  std::shared_ptr<void> thrown;
};

// LibTorch's thread count belongs to the calling thread in part; .NET's pool may run us on any. Every entry that
// computes first takes over the count that was last set anywhere.
void adopt_threads();

void remember_error(std::exception_ptr error) noexcept;

// Runs `work`; on an exception remembers it for pt_error and returns `failed`.
template <typename Work, typename Result>
Result guarded(Result failed, Work&& work) noexcept {
  try {
    return work();
  } catch (...) {
    remember_error(std::current_exception());
    return failed;
  }
}

template <typename Work>
int32_t attempt(Work&& work) noexcept {
  return guarded(int32_t{-1}, [&] {
    work();
    return int32_t{0};
  });
}

}  // namespace pt
