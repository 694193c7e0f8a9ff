#include "mover/identity.h"

#include <gtest/gtest.h>

namespace godwit::mover {
namespace {

TEST(Identity, OneIdIsASandboxOfAnOrdinaryUser) {
  EXPECT_TRUE(knowsOneIdOnly("      1001       1001          1\n"));
  EXPECT_FALSE(knowsOneIdOnly("         0          0 4294967295\n"));
  EXPECT_FALSE(knowsOneIdOnly("         0       1001          1\n         1     100000      65536\n"));
  EXPECT_FALSE(knowsOneIdOnly(""));
}

}  // namespace
}  // namespace godwit::mover
