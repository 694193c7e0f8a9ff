#include "node/world.h"

#include <filesystem>

#include "standalone/classes.h"

namespace godwit::sim {

namespace r = kube::resources;
using namespace standalone;

struct World::Life {
  Life(World& w)
      : recorder(*w.api, w.clock, w.random, "test"),
        cluster(*w.api),
        addresses(cluster, w.ports, w.clock, "192.0.2.7"),
        images(cluster, w.volumes, w.clock, w.images),
        storage(cluster, w.volumes, work, w.clock, recorder, false, &images),
        snapshots(cluster, w.volumes, work, w.clock, recorder, &images),
        jobs(cluster, w.clock, recorder),
        node(cluster, w.runner, addresses, w.clock, recorder, {"here", "192.0.2.7", ""}) {}
  kube::Recorder recorder;
  Cluster cluster;
  Work work;
  Addresses addresses;
  ImageLinks images;
  StorageController storage;
  SnapshotController snapshots;
  JobController jobs;
  Node node;
};

World::World() = default;
World::~World() {
  std::error_code ignored;
  if (!images.empty()) std::filesystem::remove_all(images, ignored);
}

void World::SetUp() {
  auto opened = Store::open({}, clock, random);
  ASSERT_TRUE(opened.ok());
  store = *std::move(opened);
  api = std::make_unique<FaultyApi>(*store, clock, random);
  char dir[] = "/tmp/godwit-images.XXXXXX";
  ASSERT_NE(::mkdtemp(dir), nullptr);
  images = dir;
  create(r::kNamespaces, {{"metadata", {{"name", "ns"}}}});
  ASSERT_TRUE(seedClasses(*store).ok());
  life = std::make_unique<Life>(*this);
}

void World::restart() {
  life.reset();
  runner.machineDied();
  life = std::make_unique<Life>(*this);
  settle();
}

void World::settle() {
  for (int i = 0; i < 1000; ++i) {
    bool any = life->cluster.pump();
    for (Controller* c : {static_cast<Controller*>(&life->addresses), static_cast<Controller*>(&life->images),
                          static_cast<Controller*>(&life->storage), static_cast<Controller*>(&life->snapshots),
                          static_cast<Controller*>(&life->jobs), static_cast<Controller*>(&life->node)}) {
      any |= c->step();
    }
    any |= store->collectGarbage();
    if (!any) return;
  }
  FAIL() << "never settles";
}

void World::advance(Duration by) {
  clock.advance(by);
  settle();
}

std::optional<Duration> World::nextDelay() const {
  const auto storage = life->storage.nextDelay(), snapshots = life->snapshots.nextDelay();
  return storage && snapshots ? std::min(*storage, *snapshots) : storage ? storage : snapshots;
}

Json World::create(const kube::ResourceType& type, Json object) {
  if (type.namespaced && text(object, "metadata", "namespace").empty()) object["metadata"]["namespace"] = "ns";
  auto created = store->create(type, object);
  EXPECT_TRUE(created.ok()) << created.error().message;
  return created.ok() ? *created : Json();
}

Json World::get(const kube::ResourceType& type, const std::string& name) {
  auto object = store->get(type, {type.namespaced ? "ns" : "", name});
  return object.ok() ? *object : Json();
}

std::vector<Json> World::list(const kube::ResourceType& type) {
  auto all = store->list(type, {});
  return all.ok() ? all->items : std::vector<Json>{};
}

void World::remove(const kube::ResourceType& type, const std::string& name) {
  ASSERT_TRUE(store->remove(type, {type.namespaced ? "ns" : "", name}, {}).ok());
  settle();
}

std::vector<std::string> World::eventReasons() {
  std::vector<std::string> out;
  for (const auto& event : list(r::kEvents)) out.push_back(text(event, "reason"));
  return out;
}

Json World::claim(const std::string& name, Json spec) {
  if (!spec.contains("accessModes")) spec["accessModes"] = Json::array({"ReadWriteOnce"});
  if (!spec.contains("resources")) spec["resources"]["requests"]["storage"] = "1Gi";
  create(r::kPersistentVolumeClaims, {{"metadata", {{"name", name}}}, {"spec", spec}});
  settle();
  return get(r::kPersistentVolumeClaims, name);
}

Json World::job(const std::string& name, Json podSpec, std::int64_t backoffLimit) {
  if (!podSpec.contains("restartPolicy")) podSpec["restartPolicy"] = "Never";
  if (!podSpec.contains("containers"))
    podSpec["containers"] = Json::array({{{"name", "rsync"}, {"command", {"godwit", "mover"}}}});
  create(r::kJobs, {{"metadata", {{"name", name}}},
                    {"spec", {{"backoffLimit", backoffLimit}, {"parallelism", 1}, {"template", {{"spec", podSpec}}}}}});
  settle();
  return get(r::kJobs, name);
}

}  // namespace godwit::sim
