// The controller as in production: reflector threads and workers, stopped by a token.
#include <thread>

#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

class Threads : public MiniWorld {
 protected:
  // Waits for an event of `type`, not for time; the limit only ends a broken test.
  bool sees(const kube::ResourceType& type, const std::string& name) {
    auto watch = store->watch(type, {.ns = "ns"});
    if (!watch.ok()) return false;
    for (;;) {
      const auto event = (*watch)->next(std::chrono::seconds(30));
      if (!event.ok() || !*event) return false;
      if (text((*event)->object, "metadata", "name") == name) return true;
    }
  }
};

TEST_F(Threads, ServeAndStop) {
  SystemClock systemClock;
  Controller running(*store, systemClock, random, metrics, config);
  std::jthread thread([&](std::stop_token stop) { running.run(stop); });
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"manual", "one"}}}});
  EXPECT_TRUE(sees(kinds::kJobs, "volsync-rsync-src-s"));
  thread.request_stop();
  thread.join();
}

}  // namespace
}  // namespace godwit::replication
