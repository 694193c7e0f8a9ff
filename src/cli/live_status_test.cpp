#include "cli/live_status.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/fd.h"
#include "cli/testing.h"

namespace godwit::cli {
namespace {

class LiveStatus : public ServerTest {
 protected:
  void make(const char* kind, const char* name) {
    const auto made = api().create(*kube::resources::byKind(api::kApiVersion, kind),
                                   {{"apiVersion", api::kApiVersion},
                                    {"kind", kind},
                                    {"metadata", {{"name", name}, {"namespace", "default"}}},
                                    {"spec", Json::object()}});
    ASSERT_TRUE(made) << made.error().message;
  }
};

TEST_F(LiveStatus, ListsBothSidesByName) {
  make("ReplicationDestination", "a");
  make("ReplicationSource", "b");
  make("ReplicationSource", "a");
  const auto rows = statusRows(api(), "");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].role, "source");
  EXPECT_EQ((*rows)[1].role, "destination");
  EXPECT_EQ((*rows)[2].name, "b");
  EXPECT_EQ(statusRows(api(), "elsewhere")->size(), 0u);
}

TEST_F(LiveStatus, PrintsTheTableUntilTold) {
  make("ReplicationSource", "a");
  auto pipe = makePipe();
  ASSERT_TRUE(pipe);
  Terminal terminal(pipe->write.get());
  std::jthread watcher([&](std::stop_token stop) { EXPECT_TRUE(watchStatus(api(), "default", terminal, stop)); });
  char text[4096] = {};
  ASSERT_GT(::read(pipe->read.get(), text, sizeof text - 1), 0);
  EXPECT_THAT(text, testing::HasSubstr("a      source   New"));
}

}  // namespace
}  // namespace godwit::cli
