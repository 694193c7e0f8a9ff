// Randomness as a narrow door: jitter, generated names and uids come from here, so that a seed decides a simulated
// world. Never for keys: those come from OpenSSL.
#pragma once
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace godwit {

class Random {
 public:
  Random();                              // seeded by the kernel
  explicit Random(std::uint64_t seed);   // deterministic
  std::uint64_t below(std::uint64_t n);  // uniform in [0, n); 0 when n is 0
  double unit();                         // uniform in [0, 1)
  std::string uuid();                    // RFC 4122 version 4, lower case
  std::string suffix(int length = 5);    // as generateName uses: letters and digits without vowels

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace godwit
