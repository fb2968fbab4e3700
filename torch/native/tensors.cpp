// Tensors: their memory and what they say of themselves.
#include "abi.h"

#include <ATen/Functions.h>

using namespace pt;

PT_API void pt_tensor_free(Handle tensor) { TensorPtr::reclaim(tensor); }

PT_API Handle pt_tensor_share(Handle tensor) { return release(borrow(tensor)); }

// A row-major CPU tensor on memory that C# owns. `release_memory(state)` runs once, on whatever thread drops the last
// reference to the memory, also when this fails.
PT_API Handle pt_tensor_from_memory(void* data, const int64_t* sizes, int32_t dimensions, int32_t dtype,
                                    void (*release_memory)(void*), void* state) {
  return guarded(static_cast<Handle>(nullptr), [&] {
    const std::shared_ptr<void> owner(state, release_memory);
    const auto options = at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype));
    return release(at::from_blob(data, at::IntArrayRef(sizes, dimensions), [owner](void*) {}, options));
  });
}

// The number of dimensions, or -1.
PT_API int32_t pt_tensor_sizes(Handle tensor, const int64_t** sizes) {
  return guarded(int32_t{-1}, [&] {
    *sizes = tensor->sizes().data();
    return static_cast<int32_t>(tensor->dim());
  });
}

PT_API int32_t pt_tensor_strides(Handle tensor, const int64_t** strides) {
  return guarded(int32_t{-1}, [&] {
    *strides = tensor->strides().data();
    return static_cast<int32_t>(tensor->dim());
  });
}

PT_API int64_t pt_tensor_numel(Handle tensor) { return tensor->numel(); }

PT_API int32_t pt_tensor_dtype(Handle tensor) {
  return static_cast<int32_t>(c10::typeMetaToScalarType(tensor->dtype()));
}

PT_API int32_t pt_tensor_element_size(Handle tensor) { return static_cast<int32_t>(tensor->dtype().itemsize()); }

PT_API void pt_tensor_device(Handle tensor, int32_t* type, int32_t* index) {
  *type = static_cast<int32_t>(tensor->device().type());
  *index = tensor->device().index();
}

PT_API int64_t pt_tensor_storage_offset(Handle tensor) {
  return guarded(int64_t{-1}, [&] { return static_cast<int64_t>(tensor->storage_offset()); });
}

PT_API bool pt_tensor_is_contiguous(Handle tensor) {
  return guarded(false, [&] { return tensor->is_contiguous(); });
}

PT_API void* pt_tensor_data(Handle tensor) {
  return guarded(static_cast<void*>(nullptr), [&] { return borrow(tensor).data_ptr(); });
}
