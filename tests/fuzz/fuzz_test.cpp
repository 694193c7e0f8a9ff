// Every fuzz target over every truncation of its seeds and thousands of seeded mutations.
#include "fuzz/fuzz.h"

#include <gtest/gtest.h>

#include <random>

using namespace godwit::fuzz;

namespace {

constexpr int kMutations = 3000;

class Mutator {
 public:
  explicit Mutator(const Target& target) : seeds_(target.seeds), random_(std::hash<std::string>()(target.name)) {}

  std::string next() {
    std::string text = pick();
    for (auto edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  const std::string& pick() { return seeds_[below(seeds_.size())]; }

  std::string piece() {
    const auto& seed = pick();
    return seed.substr(below(seed.size()), below(16));
  }

  void edit(std::string& text) {
    const auto at = below(text.size() + 1), length = below(text.size() - at + 1);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(below(128)));
        break;
      case 2:
        text.erase(at, std::min<std::size_t>(length, 1 + below(8)));
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.insert(at, piece());
        break;
      default:
        text.insert(below(text.size() + 1), below(50), text.empty() ? 'x' : text[below(text.size())]);
        break;
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
};

// False, with the input shown, when the target does not survive.
bool survives(const Target& target, const std::string& input) {
  try {
    target.run(input);
    return true;
  } catch (const std::exception& e) {
    ADD_FAILURE() << target.name << ": " << e.what() << " with input " << testing::PrintToString(input);
    return false;
  }
}

}  // namespace

TEST(Fuzz, EveryTruncation) {
  for (const Target& target : targets())
    for (const auto& seed : target.seeds)
      for (std::size_t n = 0; n <= seed.size(); ++n) ASSERT_TRUE(survives(target, seed.substr(0, n)));
}

TEST(Fuzz, Mutations) {
  for (const Target& target : targets()) {
    Mutator mutator(target);
    for (int i = 0; i < kMutations; ++i) ASSERT_TRUE(survives(target, mutator.next()));
  }
}

TEST(Fuzz, EveryHarnessIsHere) {
  EXPECT_EQ(targets().size(), GODWIT_FUZZ_HARNESSES);
}
