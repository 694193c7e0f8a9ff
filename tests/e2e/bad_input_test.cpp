// What bad input gets: a message that names the thing and the remedy, no crash, and nothing lost.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "api/yaml.h"
#include "pair.h"

namespace godwit::e2e {

namespace r = kube::resources;
using testing::HasSubstr;

namespace {

class BadInput : public testing::Test {
 protected:
  void SetUp() override { godwit_.start(); }
  // The error that the source's condition comes to show.
  std::string complaint(const Pair& pair, const std::string& words) {
    const auto source = godwit_.until(r::kReplicationSources, pair.sourceKey(), [&](const Json& object) {
      return conditionMessage(object, "Synchronizing").find(words) != std::string::npos;
    });
    return conditionMessage(source, "Synchronizing");
  }
  std::string manifest(const std::string& yaml) {
    std::ofstream(godwit_.at("bad.yaml"), std::ios::trunc) << yaml;
    const auto done = godwit_.godwit({"apply", "-f", godwit_.at("bad.yaml")});
    EXPECT_NE(done.status.code, 0) << done.out;
    return done.out + done.err;
  }
  // Keys that nobody here knows, base64 as in a Secret's data.
  Json keys() {
    const auto made = godwit_.godwit({"keys", "other"});
    const auto secrets = api::parseYaml(made.out);
    EXPECT_TRUE(secrets.ok() && secrets->size() == 2) << made.err;
    return secrets.ok() && !secrets->empty() ? secrets->front().at("data") : Json::object();
  }
  static Json secretFor(const Pair& pair, const Json& data) {
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata", {{"name", "copied"}, {"namespace", pair.here()}}},
            {"data", data}};
  }
  // The first line of a mover's log in this namespace that contains `words`.
  std::string moverSays(const std::string& ns, const std::string& words) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto watch = godwit_.api().watch(r::kPods, {.ns = ns});
    while (watch.ok() && std::chrono::steady_clock::now() < deadline) {
      const auto pods = godwit_.api().list(r::kPods, {.ns = ns});
      for (const auto& pod : pods.ok() ? pods->items : std::vector<Json>{}) {
        const auto log = godwit_.api().logs(kube::keyOf(pod), {});
        const auto at = log.ok() ? log->find(words) : std::string::npos;
        if (at == std::string::npos) continue;
        const auto begin = log->rfind('\n', at) + 1;  // npos + 1: the first line
        return log->substr(begin, log->find('\n', at) - begin);
      }
      (void)(*watch)->next(std::chrono::milliseconds(200)).ok();  // a log has no watch
    }
    ADD_FAILURE() << "no mover says \"" << words << "\"\n" << godwit_.log();
    return {};
  }
  Installation godwit_;
};

TEST_F(BadInput, MalformedYamlNamesTheLine) {
  EXPECT_THAT(manifest("kind: [unclosed\nmetadata: {\n"), HasSubstr("line"));
}

TEST_F(BadInput, AnUnknownFieldIsWarnedOfAndLeftOut) {
  std::ofstream(godwit_.at("odd.yaml"))
      << "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\n"
         "metadata: {name: odd, namespace: default}\n"
         "spec: {sourcePVC: data, colour: red, rsync: {copyMethod: Clone, copyMethood: Direct}}\n";
  const auto done = godwit_.godwit({"apply", "-f", godwit_.at("odd.yaml")});
  EXPECT_EQ(done.status.code, 0);
  EXPECT_THAT(done.err, HasSubstr("unknown field \"spec.colour\""));
  EXPECT_THAT(done.err, HasSubstr("unknown field \"spec.rsync.copyMethood\""));
  const auto stored = godwit_.api().get(r::kReplicationSources, {"default", "odd"});
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(find(*stored, "spec", "colour"), nullptr);
}

TEST_F(BadInput, AWrongTypeNamesTheField) {
  EXPECT_THAT(
      manifest(
          "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: a, namespace: default}\n"
          "spec: {sourcePVC: 7, rsync: {copyMethod: Clone}}\n"),
      HasSubstr("spec.sourcePVC"));
}

TEST_F(BadInput, AMissingNamespaceIsNamed) {
  EXPECT_THAT(
      manifest(
          "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {name: a, namespace: nowhere}\n"
          "spec: {sourcePVC: data, rsync: {copyMethod: Clone}}\n"),
      HasSubstr("nowhere"));
}

TEST_F(BadInput, ANameOver253CharactersIsRefusedAndOneOf253IsNot) {
  const auto yaml = [](std::size_t length) {
    return fmt::format(
        "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationDestination\nmetadata: {{name: {}, namespace: "
        "default}}\n"
        "spec: {{rsync: {{copyMethod: Direct, capacity: 1Gi, accessModes: [ReadWriteOnce]}}}}\n",
        std::string(length, 'n'));
  };
  EXPECT_THAT(manifest(yaml(254)), HasSubstr("metadata.name"));
  godwit_.apply(yaml(253));
  godwit_.until(r::kReplicationDestinations, {"default", std::string(253, 'n')},
                [](const Json& object) { return !text(object, "status", "rsync", "address").empty(); });
}

TEST_F(BadInput, ABadCronIsNamed) {
  Pair pair(godwit_, {.trigger = R"({"schedule": "61 * * * *"})"});
  pair.introduce();
  // The CRD's pattern may refuse it at once; a controller that gets it says so in the condition.
  const auto patched =
      godwit_.api().create(r::kReplicationSources,
                           {{"apiVersion", "volsync.backube/v1alpha1"},
                            {"kind", "ReplicationSource"},
                            {"metadata", {{"name", "pair"}, {"namespace", pair.here()}}},
                            {"spec",
                             {{"sourcePVC", "data"},
                              {"trigger", {{"schedule", "61 * * * *"}}},
                              {"rsync", {{"copyMethod", "Clone"}, {"address", "192.0.2.1"}, {"sshKeys", "copied"}}}}}});
  if (!patched.ok()) {
    EXPECT_THAT(patched.error().message, HasSubstr("spec.trigger.schedule"));
    return;
  }
  EXPECT_THAT(complaint(pair, "schedule"), HasSubstr("spec.trigger.schedule"));
}

TEST_F(BadInput, AMissingSecretAndItsMissingFieldAreNamed) {
  Pair pair(godwit_, {});
  pair.applySource();
  EXPECT_THAT(complaint(pair, "copied"), HasSubstr("copied"));
  const Json secret = {{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", {{"name", "copied"}, {"namespace", pair.here()}}},
                       {"data", {{"source", "eA=="}, {"source.pub", "eA=="}}}};
  ASSERT_TRUE(godwit_.api().create(r::kSecrets, secret).ok());
  EXPECT_THAT(complaint(pair, "destination.pub"), HasSubstr("destination.pub"));
}

TEST_F(BadInput, AMissingClaimIsNamed) {
  Pair pair(godwit_, {});
  pair.introduce();
  ASSERT_TRUE(godwit_.api().remove(r::kPersistentVolumeClaims, {pair.here(), "data"}, {}).ok());
  pair.applySource();
  EXPECT_THAT(complaint(pair, "data"), HasSubstr("data"));
}

TEST_F(BadInput, AnEncryptedKeyIsRefused) {
  Pair pair(godwit_, {});
  pair.introduce();
  const auto made =
      runProcess({.argv = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", godwit_.at("locked")}});
  ASSERT_TRUE(made.ok() && made->status.success());
  const auto key = readFile(godwit_.at("locked"));
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(godwit_.api().patch(r::kSecrets, {pair.here(), "copied"}, {{"stringData", {{"source", *key}}}}).ok());
  pair.applySource();
  EXPECT_THAT(complaint(pair, "passphrase"), HasSubstr("source"));
}

TEST_F(BadInput, ABrokenKeyIsRefused) {
  Pair pair(godwit_, {});
  pair.introduce();
  ASSERT_TRUE(
      godwit_.api().patch(r::kSecrets, {pair.here(), "copied"}, {{"stringData", {{"source", "no key at all"}}}}).ok());
  pair.applySource();
  EXPECT_THAT(complaint(pair, "not a private key"), HasSubstr("Secret copied: field source"));
}

TEST_F(BadInput, AClassThatIsMissingIsNamed) {
  Pair pair(godwit_, {.sourceMethod = "Snapshot",
                      .moreSource = R"("volumeSnapshotClassName": "no-such-class")",
                      .moreDestination = R"("storageClassName": "nowhere")"});
  const auto claim = godwit_.until(r::kPersistentVolumeClaims, {pair.there(), "volsync-pair-dst"}, [](const Json& pvc) {
    return conditionMessage(pvc, "Bound").find("nowhere") != std::string::npos;
  });
  EXPECT_EQ(text(claim, "status", "phase"), "Pending");
  ASSERT_TRUE(godwit_.api().create(r::kSecrets, secretFor(pair, keys())).ok());
  pair.applySource();
  EXPECT_THAT(complaint(pair, "no-such-class"), HasSubstr("VolumeSnapshot volsync-pair-src"));
}

TEST_F(BadInput, AHostDirectoryNeedsAnEmptyClassAndIsToldSo) {
  godwit_.apply(fmt::format(R"(apiVersion: v1
kind: PersistentVolume
metadata: {{name: mine}}
spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], hostPath: {{path: "{}"}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: mine, namespace: default}}
spec: {{volumeName: mine, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
)",
                            godwit_.at("")));
  godwit_.until(r::kPersistentVolumeClaims, {"default", "mine"}, [](const Json& pvc) {
    return conditionMessage(pvc, "Bound").find("storageClassName: \"\"") != std::string::npos;
  });
}

TEST_F(BadInput, AnAddressWhereNobodyListensIsTriedAgainAndNamed) {
  Pair pair(godwit_, {});
  ASSERT_TRUE(godwit_.api().create(r::kSecrets, secretFor(pair, keys())).ok());
  std::ofstream(pair.data() + "/file") << "1";
  pair.applySource("127.0.0.1", 1);  // tcpmux, which nobody serves
  EXPECT_THAT(moverSays(pair.here(), "trying again"), HasSubstr("127.0.0.1"));
}

// Of the size that `size=...` says, or what it is remounted to.
int mountSmall(const std::string& where, unsigned long flags, const char* size) {
  return ::mount("godwit", where.c_str(), "tmpfs", flags, size) == 0 ? 0 : errno;
}

// A mover that fails is tried three times before its error is final: all at once, as that takes half a minute.
TEST_F(BadInput, WhatAMoverRunsIntoIsInTheCondition) {
  std::filesystem::create_directory(godwit_.at("small"));
  const int mounted = mountSmall(godwit_.at("small"), 0, "size=4m");
  if (mounted == EPERM)
    GTEST_SKIP() << "SKIPPED: needs root and the right to mount; full volumes and wrong keys are NOT tested";
  ASSERT_EQ(mounted, 0) << std::strerror(mounted);
  Pair stranger(godwit_, {.name = "stranger"}), unknown(godwit_, {.name = "unknown"});
  Pair full(godwit_, {.name = "full", .destinationMethod = "Direct", .receiver = godwit_.at("small")});
  Pair empty(godwit_, {.name = "empty"});
  for (auto* pair : {&stranger, &unknown, &full, &empty}) {
    std::ofstream(pair->data() + "/precious") << "data";
    pair->introduce();
  }
  const auto others = keys();
  ASSERT_TRUE(godwit_.api()
                  .patch(r::kSecrets, {stranger.here(), "copied"},
                         {{"data", {{"destination.pub", text(others, "destination.pub")}}}})
                  .ok());
  ASSERT_TRUE(godwit_.api()
                  .patch(r::kSecrets, {unknown.here(), "copied"},
                         {{"data", {{"source", text(others, "source")}, {"source.pub", text(others, "source.pub")}}}})
                  .ok());
  for (auto* pair : {&stranger, &unknown, &full, &empty}) pair->applySource();
  for (auto* pair : {&full, &empty}) {
    pair->synced("1");
    pair->waitForImage("");
  }
  std::ofstream(full.data() + "/large") << std::string(8 << 20, 'x');
  std::filesystem::remove(empty.data() + "/precious");
  for (auto* pair : {&full, &empty}) {
    ASSERT_TRUE(godwit_.api()
                    .patch(r::kReplicationSources, pair->sourceKey(), {{"spec", {{"trigger", {{"manual", "2"}}}}}})
                    .ok());
  }
  EXPECT_THAT(complaint(stranger, "another host key"), HasSubstr("destination.pub"));
  EXPECT_THAT(complaint(unknown, "refuses the key"), HasSubstr("key"));
  EXPECT_THAT(complaint(empty, "allow-empty"), HasSubstr("empty"));
  EXPECT_THAT(complaint(full, "full"), HasSubstr("full"));
  EXPECT_EQ(
      godwit_.api().get(r::kReplicationDestinations, stranger.destinationKey())->at("status").count("latestImage"), 0u);
  for (auto* pair : {&full, &empty}) EXPECT_TRUE(std::filesystem::exists(pair->image() + "/precious"));
  // When there is room, everything goes on by itself.
  ASSERT_EQ(mountSmall(godwit_.at("small"), MS_REMOUNT, "size=32m"), 0);
  full.synced("2", std::chrono::minutes(3));
  EXPECT_EQ(difference(full.data(), full.image()), "");
  ASSERT_EQ(godwit_.stop(), 0);
  ASSERT_EQ(::umount(godwit_.at("small").c_str()), 0);
}

TEST_F(BadInput, ADataDirectoryThatIsHeldNamesItsHolder) {
  const auto second = godwit_.standalone({"--data-dir", godwit_.at("data"), "--port", "0"});
  EXPECT_NE(second.status.code, 0);
  EXPECT_THAT(second.err, HasSubstr(fmt::format("held by process {}", godwit_.pid())));
}

TEST_F(BadInput, APortInUseNamesThePort) {
  const UniqueFd held(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(held.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(held.get(), 1), 0);
  ASSERT_EQ(::getsockname(held.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto port = std::to_string(ntohs(address.sin_port));
  const auto second = godwit_.standalone({"--data-dir", godwit_.at("other"), "--port", port});
  EXPECT_NE(second.status.code, 0);
  EXPECT_THAT(second.err, HasSubstr(port));
}

TEST_F(BadInput, ADamagedDatabaseIsRefusedAndLeftAsItIs) {
  ASSERT_EQ(godwit_.stop(), 0);
  std::string database;
  for (const auto& entry : std::filesystem::directory_iterator(godwit_.at("data"))) {
    if (entry.path().extension() == ".db") database = entry.path();
  }
  ASSERT_NE(database, "");
  const std::string garbage(65536, 'x');
  std::ofstream(database, std::ios::trunc) << garbage;
  const auto again = godwit_.standalone({"--data-dir", godwit_.at("data"), "--port", "0"});
  EXPECT_NE(again.status.code, 0);
  EXPECT_THAT(again.err, HasSubstr("damaged"));
  const auto after = readFile(database);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(*after, garbage);
}

}  // namespace

}  // namespace godwit::e2e
