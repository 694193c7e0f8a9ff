// A fuzz target: a function that must survive any bytes, with seeds to mutate. Written once, run twice: by libFuzzer
// (cmake -DGODWIT_FUZZ=ON, clang), and by fuzz_test in every test run with seeded mutations.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::fuzz {

struct Target {
  const char* name;
  std::vector<std::string> seeds;
  void (*run)(std::string_view);
};

// All targets of this program.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

struct Registration {
  explicit Registration(Target target) { targets().push_back(std::move(target)); }
};

// What must hold for every input. Thrown so that the test can show the input; libFuzzer stops at it.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

}  // namespace godwit::fuzz

// GODWIT_FUZZ_TARGET(name, seeds...) { body over `input` }
#define GODWIT_FUZZ_TARGET(target, ...)                                                           \
  static void target(std::string_view input);                                                     \
  static const godwit::fuzz::Registration target##Registration({#target, {__VA_ARGS__}, target}); \
  GODWIT_FUZZ_ENTRY(target)                                                                       \
  static void target(std::string_view input)

#ifdef GODWIT_LIBFUZZER
#define GODWIT_FUZZ_ENTRY(target)                                                     \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    target({reinterpret_cast<const char*>(data), size});                              \
    return 0;                                                                         \
  }
#else
#define GODWIT_FUZZ_ENTRY(target)
#endif
