// The machine as production drives it: threads, events, a real pool and real containers.
#include "standalone/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/fd.h"
#include "standalone/copy_tree.h"
#include "standalone/store.h"

namespace godwit::standalone {
namespace {

namespace r = kube::resources;

class MachineTest : public testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/var/tmp/godwit-machine.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
    auto opened = Store::open({}, clock_, random_);
    ASSERT_TRUE(opened.ok());
    store_ = *std::move(opened);
    ASSERT_TRUE(store_->create(r::kNamespaces, {{"metadata", {{"name", "ns"}}}}).ok());
    start();
  }
  void TearDown() override {
    stop();
    store_.reset();
    EXPECT_TRUE(removeTree(dir_).ok());
  }
  void start() {
    MachineOptions options;
    options.dataDir = dir_;
    options.pool.kind = PoolOptions::Kind::Directory;
    auto machine = Machine::open(*store_, clock_, random_, options);
    ASSERT_TRUE(machine.ok()) << machine.error().message;
    machine_ = *std::move(machine);
    thread_ = std::jthread([this](std::stop_token token) { machine_->run(token); });
  }
  void stop() {
    thread_ = {};
    machine_.reset();
  }
  // Follows one object until `holds`, or a minute.
  Json await(const kube::ResourceType& type, const std::string& name, const std::function<bool(const Json&)>& holds) {
    kube::WatchOptions options;
    options.ns = "ns";
    options.fieldSelector = "metadata.name=" + name;
    auto watch = store_->watch(type, options);
    Json last;
    while (watch.ok()) {
      auto event = (*watch)->next(std::chrono::minutes(1));
      if (!event.ok() || !*event) break;
      if ((**event).type == kube::WatchEvent::Type::Bookmark) continue;
      last = (**event).object;
      if (holds(last)) return last;
    }
    ADD_FAILURE() << "never so: " << dumpJson(last);
    return last;
  }
  void create(const kube::ResourceType& type, Json object) {
    object["metadata"]["namespace"] = "ns";
    const auto created = store_->create(type, object);
    ASSERT_TRUE(created.ok()) << created.error().message;
  }
  void claim(const std::string& name, Json spec = Json::object()) {
    spec["accessModes"] = {"ReadWriteOnce"};
    spec["resources"]["requests"]["storage"] = "1Mi";
    create(r::kPersistentVolumeClaims, {{"metadata", {{"name", name}}}, {"spec", spec}});
  }
  std::string bound(const std::string& name) {
    const auto pvc =
        await(r::kPersistentVolumeClaims, name, [](const Json& o) { return text(o, "status", "phase") == "Bound"; });
    return dir_ + "/pool/volumes/" + text(pvc, "spec", "volumeName");
  }
  void job(const std::string& name, const std::string& script) {
    create(r::kJobs, {{"metadata", {{"name", name}}},
                      {"spec",
                       {{"backoffLimit", 0},
                        {"template",
                         {{"spec",
                           {{"restartPolicy", "Never"},
                            {"containers",
                             {{{"name", "c"},
                               {"command", {"sh", "-c", script}},
                               {"volumeMounts", {{{"name", "v"}, {"mountPath", "/data"}}}}}}},
                            {"volumes", {{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}}}}}}}}}});
  }
  SystemClock clock_;
  Random random_;
  std::string dir_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Machine> machine_;
  std::jthread thread_;
};

TEST_F(MachineTest, AJobWritesAVolumeThatIsSnapshotAndRestored) {
  claim("data");
  job("write", "cd ${GODWIT_DATA:-/data} && echo hello > file && echo written");
  const auto done =
      await(r::kJobs, "write", [](const Json& o) { return !text(o, "status", "completionTime").empty(); });
  EXPECT_EQ(number(0, done, "status", "succeeded"), 1);
  EXPECT_EQ(*readFile(bound("data") + "/file"), "hello\n");
  const auto pods = store_->list(r::kPods, {"ns", "", ""});
  ASSERT_EQ(pods->items.size(), 1u);
  EXPECT_EQ(*machine_->logs(kube::keyOf(pods->items[0]), {}), "written\n");

  create(r::kVolumeSnapshots,
         {{"metadata", {{"name", "snap"}}}, {"spec", {{"source", {{"persistentVolumeClaimName", "data"}}}}}});
  claim("restored",
        {{"dataSource", {{"apiGroup", "snapshot.storage.k8s.io"}, {"kind", "VolumeSnapshot"}, {"name", "snap"}}}});
  EXPECT_EQ(*readFile(bound("restored") + "/file"), "hello\n");
}

TEST_F(MachineTest, AnOrderlyEndTellsTheContainerAndLeavesNoneRunning) {
  claim("data");
  const auto path = bound("data");
  ASSERT_EQ(::mkfifo((path + "/ready").c_str(), 0600), 0);
  job("wait",
      "trap 'echo told > ${GODWIT_DATA:-/data}/told; exit 1' TERM; echo > ${GODWIT_DATA:-/data}/ready; sleep 100 & "
      "wait");
  ASSERT_TRUE(readFile(path + "/ready").ok());  // opens when the trap stands
  stop();
  EXPECT_EQ(*readFile(path + "/told"), "told\n");
  start();
  // As after a drain: a restart is no failure of the job's, and there is nothing to wait for.
  ASSERT_TRUE(readFile(path + "/ready").ok());
  const auto running = await(r::kJobs, "wait", [](const Json& o) { return number(0, o, "status", "active") == 1; });
  EXPECT_EQ(number(0, running, "status", "failed"), 0);
}

}  // namespace
}  // namespace godwit::standalone
