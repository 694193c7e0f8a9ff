#include "base/random.h"

#include <fmt/core.h>

namespace godwit {

static std::uint64_t kernelSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

Random::Random() : engine_(kernelSeed()) {}
Random::Random(std::uint64_t seed) : engine_(seed) {}

std::uint64_t Random::below(std::uint64_t n) {
  std::lock_guard lock(mutex_);
  return n == 0 ? 0 : std::uniform_int_distribution<std::uint64_t>(0, n - 1)(engine_);
}

double Random::unit() {
  std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
}

std::string Random::uuid() {
  std::lock_guard lock(mutex_);
  const std::uint64_t a = engine_(), b = engine_();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                     0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff);
}

std::string Random::suffix(int length) {
  static constexpr char kAlphabet[] = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (int i = 0; i < length; ++i) out += kAlphabet[below(sizeof kAlphabet - 1)];
  return out;
}

}  // namespace godwit
