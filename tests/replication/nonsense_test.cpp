// Somebody has edited the status by hand: whatever it says, the next iteration ends as if nobody had.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::Contains;
using testing::Not;
using testing::StartsWith;

class Nonsense : public MiniWorld {
 protected:
  Json every(const Json& more) {
    Json status = {{"lastSyncStartTime", "2999-01-01T00:00:00Z"},
                   {"lastSyncTime", "1970-01-01T00:00:00Z"},
                   {"nextSyncTime", "0001-01-01T00:00:00Z"},
                   {"lastSyncDuration", "-5h"},
                   {"lastManualSync", "never"},
                   {"conditions", Json::array()},
                   {"latestMoverStatus", {{"result", "Perhaps"}, {"logs", "\n\n"}}},
                   {"rsync", {{"address", "nowhere"}, {"sshKeys", "none"}, {"port", 1}}}};
    status.update(more);
    return {{"status", status}};
  }
  // Each alone, and all of them, on an object that rests and on one that is busy.
  template <class Check>
  void afterEach(const kube::ResourceType& type, const char* name, Role role, const Json& nonsense, Check check) {
    int asked = 1;
    const auto iterate = [&] {
      edit(type, name, {{"spec", {{"trigger", {{"manual", std::to_string(++asked)}}}}}});
      settle();
    };
    const auto finish = [&](const std::string& what) {
      SCOPED_TRACE(what);
      settle();
      // A second one of the iteration that the edit has begun anew, where it has.
      for (int i = 0; i < 3 && !get(kinds::kJobs, api::jobName(role, name)).is_null(); ++i) {
        endMover(role);
        settle();
      }
      check(std::to_string(asked));
    };
    std::vector<Json> all = {nonsense};
    for (const auto& [key, value] : nonsense["status"].items()) all.push_back({{"status", {{key, value}}}});
    for (const auto& change : all) {
      edit(type, name, change, kube::Subresource::Status);
      iterate();
      finish("at rest: " + change.dump());
      iterate();
      edit(type, name, change, kube::Subresource::Status);
      finish("busy: " + change.dump());
    }
  }
};

TEST_F(Nonsense, InTheStatusOfASource) {
  startSource("Snapshot");
  endMover(Role::Source);
  settle();
  afterEach(kinds::kReplicationSources, "s", Role::Source, every(Json::object()), [&](const std::string& asked) {
    const auto s = source();
    EXPECT_EQ(s.status.lastManualSync, asked);
    EXPECT_EQ(s.status.lastSyncTime, clock.now());
    EXPECT_FALSE(s.status.lastSyncStartTime);
    EXPECT_GE(*s.status.lastSyncDuration, Duration(0));
    EXPECT_THAT(synchronizing(s), StartsWith("False WaitingForManual"));
    EXPECT_THAT(names(kinds::kJobs), testing::IsEmpty());
  });
}

TEST_F(Nonsense, ThatDoesNotParseIsTakenAwayAndToldByAnEvent) {
  startSource("Direct");
  endMover(Role::Source);
  settle();
  EXPECT_THAT(events(), Not(Contains("StatusRepaired")));
  edit(kinds::kReplicationSources, "s", {{"status", {{"lastSyncDuration", "for ever"}}}}, kube::Subresource::Status);
  settle();
  EXPECT_EQ(find(get(kinds::kReplicationSources, "s"), "status", "lastSyncDuration"), nullptr);
  EXPECT_THAT(events(), Contains("StatusRepaired"));
}

TEST_F(Nonsense, InTheStatusOfADestination) {
  makeDestination({}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  const Json image = {{"apiGroup", "snapshot.storage.k8s.io"}, {"kind", "VolumeSnapshot"}, {"name", "none"}};
  afterEach(kinds::kReplicationDestinations, "d", Role::Destination, every({{"latestImage", image}}),
            [&](const std::string& asked) {
              const auto d = destination();
              EXPECT_EQ(d.status.lastManualSync, asked);
              EXPECT_EQ(d.status.lastSyncTime, clock.now());
              EXPECT_FALSE(d.status.lastSyncStartTime);
              EXPECT_GE(*d.status.lastSyncDuration, Duration(0));
              ASSERT_TRUE(d.status.latestImage);
              EXPECT_FALSE(get(kinds::kVolumeSnapshots, d.status.latestImage->name).is_null());
              ASSERT_TRUE(d.status.rsync);
              EXPECT_EQ(d.status.rsync->address, "10.99.236.225");
              EXPECT_EQ(d.status.rsync->sshKeys, "volsync-rsync-dst-src-d");
            });
}

}  // namespace
}  // namespace godwit::replication
