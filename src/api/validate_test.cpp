#include <gmock/gmock.h>

#include "api/address.h"
#include "api/replication.h"

using namespace godwit;
using namespace godwit::api;
using testing::HasSubstr;

static Replication good(Role role) {
  Replication object;
  object.role = role;
  object.spec.rsync.emplace();
  object.spec.rsync->copyMethod = "Snapshot";
  if (role == Role::Source) object.spec.sourcePVC = "data";
  if (role == Role::Destination) object.spec.rsync->destinationPVC = "data";
  return object;
}

// The errors of a good object after `change`, as "field: message" lines.
template <class Change>
static std::string after(Role role, Change change) {
  Replication object = good(role);
  change(object.spec, *object.spec.rsync);
  std::string all;
  for (const auto& error : validate(object)) all += error.field + ": " + error.message + "\n";
  return all;
}

template <class Change>
static std::string source(Change change) {
  return after(Role::Source, change);
}
template <class Change>
static std::string destination(Change change) {
  return after(Role::Destination, change);
}

TEST(Validate, GoodObjectsPass) {
  EXPECT_EQ(source([](auto&, auto&) {}), "");
  EXPECT_EQ(destination([](auto&, auto&) {}), "");
  for (const char* method : {"Clone", "Snapshot", "Direct", "None"})
    EXPECT_EQ(source([&](auto&, auto& rsync) { rsync.copyMethod = method; }), "");
  EXPECT_EQ(destination([](auto&, auto& rsync) {
              rsync.destinationPVC.reset();
              rsync.capacity = "10Gi";
              rsync.accessModes = {"ReadWriteOnce"};
              rsync.storageClassName = "";
            }),
            "");
}

TEST(Validate, CopyMethodIsNamedWithItsChoices) {
  EXPECT_EQ(source([](auto&, auto& r) { r.copyMethod.reset(); }),
            "spec.rsync.copyMethod: missing: choose Clone, Snapshot or Direct\n");
  EXPECT_EQ(destination([](auto&, auto& r) { r.copyMethod.reset(); }),
            "spec.rsync.copyMethod: missing: choose Snapshot or Direct\n");
  EXPECT_EQ(destination([](auto&, auto& r) { r.copyMethod = "Clone"; }),
            "spec.rsync.copyMethod: expected Snapshot or Direct\n");
}

TEST(Validate, ADestinationNeedsAVolume) {
  EXPECT_EQ(destination([](auto&, auto& r) { r.destinationPVC.reset(); }),
            "spec.rsync.capacity: missing: give capacity and accessModes, or destinationPVC\n"
            "spec.rsync.accessModes: missing: give capacity and accessModes, or destinationPVC\n");
  EXPECT_THAT(destination([](auto&, auto& r) { r.destinationPVC = "UPPER"; }),
              HasSubstr("spec.rsync.destinationPVC: not a name"));
  EXPECT_THAT(destination([](auto&, auto& r) { r.capacity = "10GB"; }),
              HasSubstr("spec.rsync.capacity: not a quantity"));
  EXPECT_THAT(destination([](auto&, auto& r) { r.capacity = "0"; }), HasSubstr("spec.rsync.capacity: zero"));
  EXPECT_THAT(destination([](auto&, auto& r) { r.accessModes = {"RWO"}; }),
              HasSubstr("spec.rsync.accessModes[0]: expected ReadWriteOnce"));
  EXPECT_THAT(destination([](auto&, auto& r) { r.volumeMode = "Tape"; }), HasSubstr("spec.rsync.volumeMode: expected"));
}

TEST(Validate, Names) {
  EXPECT_THAT(source([](auto& s, auto&) { s.sourcePVC = ""; }), HasSubstr("spec.sourcePVC: missing"));
  EXPECT_THAT(source([](auto& s, auto&) { s.sourcePVC = "../x"; }), HasSubstr("spec.sourcePVC: not a name"));
  EXPECT_THAT(source([](auto&, auto& r) { r.sshKeys = ""; }), HasSubstr("spec.rsync.sshKeys: missing"));
  EXPECT_THAT(source([](auto&, auto& r) { r.storageClassName = "a b"; }),
              HasSubstr("spec.rsync.storageClassName: not a name"));
  EXPECT_THAT(source([](auto&, auto& r) { r.volumeSnapshotClassName = "a/b"; }),
              HasSubstr("spec.rsync.volumeSnapshotClassName: not a name"));
  EXPECT_THAT(source([](auto&, auto& r) { r.moverServiceAccount = "-"; }),
              HasSubstr("spec.rsync.moverServiceAccount: not a name"));
  EXPECT_THAT(source([](auto&, auto& r) {
                r.moverPodLabels = {{"a", "b c"}};
              }),
              HasSubstr("spec.rsync.moverPodLabels.a: not a label"));
}

TEST(Validate, Triggers) {
  EXPECT_THAT(source([](auto& s, auto&) {
                s.trigger = Trigger{"61 * * * *", {}};
              }),
              HasSubstr("spec.trigger.schedule: minute \"61\""));
  EXPECT_EQ(source([](auto& s, auto&) { s.trigger = Trigger{"61 * * * *", "now"}; }), "");
  EXPECT_EQ(source([](auto& s, auto&) { s.trigger = Trigger{}; }), "");
}

TEST(Validate, TheRemoteEnd) {
  for (const int port : {0, -1, 65536})
    EXPECT_EQ(source([&](auto&, auto& r) { r.port = port; }), "spec.rsync.port: expected 1 to 65535\n");
  EXPECT_THAT(source([](auto&, auto& r) { r.address = "-oProxyCommand=x"; }),
              HasSubstr("spec.rsync.address: not an address"));
  EXPECT_THAT(source([](auto&, auto& r) { r.address = ""; }), HasSubstr("spec.rsync.address: empty"));
  EXPECT_THAT(source([](auto&, auto& r) { r.sshUser = "-l"; }), HasSubstr("spec.rsync.sshUser: not a user name"));
  EXPECT_THAT(source([](auto&, auto& r) { r.serviceType = "ExternalName"; }),
              HasSubstr("spec.rsync.serviceType: expected"));
  EXPECT_THAT(source([](auto&, auto& r) { r.path = ""; }), HasSubstr("spec.rsync.path: empty"));
  EXPECT_THAT(source([](auto&, auto& r) { r.path = std::string("/a\0b", 4); }),
              HasSubstr("spec.rsync.path: holds a NUL"));
  EXPECT_THAT(source([](auto&, auto& r) { r.path = std::string(5000, 'a'); }), HasSubstr("spec.rsync.path: longer"));
  for (const char* path : {"..", "/..", "/a/../..", "a/../../b", "/../a", "/a/..", "/a/../b", "a/../"})
    EXPECT_THAT(source([&](auto&, auto& r) { r.path = path; }), HasSubstr("spec.rsync.path: holds '..'")) << path;
  for (const char* path : {"/", ".", "a b/\xc3\xa9\n", "...", "/..a"})
    EXPECT_EQ(source([&](auto&, auto& r) { r.path = path; }), "") << path;
}

TEST(Validate, Resources) {
  EXPECT_EQ(
      source([](auto&, auto& r) { r.moverResources = Json::parse(R"({"limits": {"cpu": "500m", "memory": 3}})"); }),
      "");
  EXPECT_THAT(source([](auto&, auto& r) { r.moverResources = Json::parse(R"({"limits": {"cpu": "fast"}})"); }),
              HasSubstr("spec.rsync.moverResources.limits.cpu: not a quantity"));
}

TEST(Validate, Methods) {
  EXPECT_EQ(source([](auto& s, auto&) { s.rsync.reset(); }), "spec: no replication method: give spec.rsync\n");
  EXPECT_THAT(source([](auto& s, auto&) {
                s.rsync.reset();
                s.foreignMovers = {"restic"};
              }),
              HasSubstr("spec.restic: Godwit replicates with rsync only"));
  EXPECT_EQ(source([](auto& s, auto&) {
              s.foreignMovers = {"rclone", "restic"};
            }),
            "spec: several replication methods (rsync, rclone, restic): keep one\n");
  EXPECT_EQ(source([](auto& s, auto&) { s.external = true; }),
            "spec: several replication methods (rsync, external): keep one\n");
  EXPECT_EQ(source([](auto& s, auto&) {
              s.rsync.reset();
              s.external = true;
              s.sourcePVC = "";
            }),
            "");
}

TEST(Address, Accepted) {
  for (const char* address :
       {"host", "my.host.com", "my.host.com.", "10.0.0.1", "::1", "[::1]", "2001:db8::1", "[fe80::1%eth0]",
        "fe80::1%br-0.1", "a_b.example", "1host", "xn--bcher-kva.example", "::ffff:10.0.0.1"})
    EXPECT_EQ(addressProblem(address), std::nullopt) << address;
}

TEST(Address, Refused) {
  for (const char* address : {"",          "-x",          "a b",      " a",     "a\n",        "a\tb",  "user@host",
                              "host:22",   "[::1",        "::1]",     "[host]", "[10.0.0.1]", "1.2.3", "256.1.1.1",
                              "1.2.3.4.5", "a..b",        ".a",       ".",      "a-.b",       "-a.b",  "h\xc3\xb6st",
                              "fe80::1%",  "fe80::1%a/b", "[::1]:22", "a;b",    "$(x)",       "a/b",   "%h"})
    EXPECT_NE(addressProblem(address), std::nullopt) << address;
  EXPECT_NE(addressProblem(std::string(254, 'a')), std::nullopt);
  EXPECT_NE(addressProblem(std::string(64, 'a') + ".b"), std::nullopt);
}

TEST(Address, Users) {
  for (const char* user : {"root", "backup-user", "_x", "a.b", "User1", "1"})
    EXPECT_EQ(userProblem(user), std::nullopt) << user;
  for (const char* user :
       {"", "-a", "a b", "a@b", "a:b", "a/b", ".", "..", "a\n", "\xc3\xa9", "abcdefghijklmnopqrstuvwxyzabcdefg"})
    EXPECT_NE(userProblem(user), std::nullopt) << user;
}
