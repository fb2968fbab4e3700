// What belongs to the process or the thread: errors, devices, thread counts, random numbers.
#include "abi.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <atomic>
#include <mutex>
#include <stdexcept>

namespace pt {
namespace {

std::atomic<int32_t> wanted_threads{0};
thread_local int32_t own_threads = 0;

thread_local std::string last_error;
thread_local std::shared_ptr<void> last_thrown;

// Cuts off the C++ trace, and what follows "could not run with arguments from backend X": guesses at the reason, then a
// screenful of every backend and where its kernel was registered.
std::string without_noise(std::string message) {
  for (const char* noise : {"\nException raised from", " This could be because the operator doesn't exist for this"}) {
    const auto start = message.find(noise);
    if (start != std::string::npos) message.resize(start);
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return message;
}

at::Generator borrow_generator(c10::GeneratorImpl* generator) {
  return at::Generator(c10::intrusive_ptr<c10::GeneratorImpl>::reclaim_copy(generator));
}

}  // namespace

void adopt_threads() {
  thread_local int32_t adopted = 0;
  if (own_threads) return;
  const auto wanted = wanted_threads.load(std::memory_order_relaxed);
  if (wanted == adopted) return;
  at::set_num_threads(wanted);
  adopted = wanted;
}

void remember_error(std::exception_ptr error) noexcept {
  last_thrown.reset();
  try {
    std::rethrow_exception(std::move(error));
  } catch (const ManagedException& managed) {
    last_error = managed.what();
    last_thrown = managed.thrown;
  } catch (const c10::Error& known) {
    last_error = without_noise(known.what_without_backtrace());
  } catch (const std::exception& known) {
    last_error = without_noise(known.what());
  } catch (...) {
    last_error = "LibTorch threw something that is not an exception";
  }
}

}  // namespace pt

using namespace pt;

PT_API const char* pt_version() { return TORCH_VERSION; }

PT_API const char* pt_error() { return last_error.c_str(); }

// The GCHandle of the C# exception behind the last error, or null. C# takes the exception and lets the handle go at
// once: a thread that ended with it would call into a runtime that may be gone.
PT_API void* pt_error_thrown() { return last_thrown.get(); }

PT_API void pt_error_forget() { last_thrown.reset(); }

// ---- devices and threads

PT_API int32_t pt_cuda_count() {
  return guarded(int32_t{0}, [] { return static_cast<int32_t>(torch::cuda::device_count()); });
}

PT_API int32_t pt_cuda_synchronize(int64_t device) {
  return attempt([&] { torch::cuda::synchronize(device); });
}

PT_API int32_t pt_threads() {
  adopt_threads();
  return at::get_num_threads();
}

PT_API int32_t pt_set_threads(int32_t count) {
  return attempt([&] {
    if (count < 1) throw std::invalid_argument("needs at least one thread, got " + std::to_string(count));
    wanted_threads = count;
    adopt_threads();
  });
}

// This thread's own number for OpenMP, from its next call on; 0 to go with the process. Returns the one before.
// Not by at::set_num_threads, which is the process's, and rebuilds a pool of threads at every call.
PT_API int32_t pt_swap_own_threads(int32_t count) {
  return guarded(int32_t{-1}, [&] {
    static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    thread_local int standard = 0;
    adopt_threads();
    const auto now = at::get_num_threads();
    if (own_threads == 0) standard = now;
    const auto before = std::exchange(own_threads, count);
    if (set && before != count) set(count ? count : standard);
    return before;
  });
}

PT_API int32_t pt_interop_threads() { return at::get_num_interop_threads(); }

PT_API int32_t pt_set_interop_threads(int32_t count) {
  return attempt([&] { at::set_num_interop_threads(count); });
}

// ---- random numbers

PT_API int32_t pt_manual_seed(uint64_t seed) {
  return attempt([&] { at::manual_seed(seed); });
}

PT_API c10::GeneratorImpl* pt_generator(int32_t device_type, int32_t device_index, bool shared) {
  return guarded(static_cast<c10::GeneratorImpl*>(nullptr), [&] {
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
    const auto& standard = at::globalContext().defaultGenerator(device);
    // A copy of the default generator is a new one of its device, without a header of that device.
    at::Generator wanted = shared ? standard : standard.clone();
    return wanted.unsafeReleaseGeneratorImpl();
  });
}

PT_API void pt_generator_free(c10::GeneratorImpl* generator) {
  c10::intrusive_ptr<c10::GeneratorImpl>::reclaim(generator);
}

PT_API int32_t pt_generator_set_seed(c10::GeneratorImpl* generator, uint64_t seed) {
  return attempt([&] {
    std::lock_guard<std::mutex> lock(generator->mutex_);
    generator->set_current_seed(seed);
  });
}

PT_API uint64_t pt_generator_seed(c10::GeneratorImpl* generator) { return generator->current_seed(); }

PT_API Handle pt_generator_state(c10::GeneratorImpl* generator) {
  return guarded(static_cast<Handle>(nullptr), [&] {
    std::lock_guard<std::mutex> lock(generator->mutex_);
    return release(borrow_generator(generator).get_state());
  });
}

PT_API int32_t pt_generator_set_state(c10::GeneratorImpl* generator, Handle state) {
  return attempt([&] {
    std::lock_guard<std::mutex> lock(generator->mutex_);
    borrow_generator(generator).set_state(borrow(state));
  });
}
