#include <gtest/gtest.h>
#include <signal.h>

#include "apiserver/fixture.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  const int outcome = RUN_ALL_TESTS();
  godwit::apiserver::endSharedServer();
  return outcome;
}
