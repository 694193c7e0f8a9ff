// DATA_DIR/images: whoever reads an image by its link finds one, whatever the machine sees first.
#include <filesystem>

#include "node/world.h"

namespace godwit::sim {
namespace {

namespace r = kube::resources;

class ImagesTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    claim("data");
    destination();
  }
  void destination() {
    create(r::kReplicationDestinations, {{"metadata", {{"name", "d"}}}, {"spec", {{"rsync", Json::object()}}}});
  }
  std::string snapshot(const std::string& name) {
    create(r::kVolumeSnapshots,
           {{"metadata", {{"name", name}}}, {"spec", {{"source", {{"persistentVolumeClaimName", "data"}}}}}});
    settle();
    return volumes.snapshotPath("snap-" + text(get(r::kVolumeSnapshots, name), "metadata", "uid"));
  }
  // As the operator does when it has a newer one.
  void publish(const char* kind, const std::string& name) {
    const Json image = {{"apiGroup", "g"}, {"kind", kind}, {"name", name}};
    ASSERT_TRUE(store
                    ->patch(r::kReplicationDestinations, {"ns", "d"}, {{"status", {{"latestImage", image}}}},
                            kube::Subresource::Status)
                    .ok());
  }
  std::string link() {
    std::error_code none;
    return std::filesystem::read_symlink(images + "/ns/d/latest", none);
  }
};

// Each kind comes on a way of its own, so that the end of the old image may be seen before the new one.
TEST_F(ImagesTest, AnImageIsReadableUntilTheLinkShowsTheNext) {
  const auto one = snapshot("one");
  publish("VolumeSnapshot", "one");
  settle();
  EXPECT_EQ(link(), one);
  const auto two = snapshot("two");
  api->silent = {"replicationdestinations"};
  publish("VolumeSnapshot", "two");
  remove(r::kVolumeSnapshots, "one");
  EXPECT_EQ(link(), one);
  EXPECT_TRUE(volumes.data.contains(one)) << "latest points to nothing";
  api->silent = {};
  settle();
  EXPECT_EQ(link(), two);
  EXPECT_FALSE(volumes.data.contains(one));
  EXPECT_EQ(list(r::kVolumeSnapshotContents).size(), 1u);
}

TEST_F(ImagesTest, AVolumeThatIsTheImageIsReadableUntilTheLinkShowsASnapshot) {
  const auto path = volumes.volumePath(text(get(r::kPersistentVolumeClaims, "data"), "spec", "volumeName"));
  publish("PersistentVolumeClaim", "data");
  settle();
  EXPECT_EQ(link(), path);
  const auto one = snapshot("one");
  api->silent = {"replicationdestinations"};
  publish("VolumeSnapshot", "one");
  remove(r::kPersistentVolumeClaims, "data");
  EXPECT_TRUE(volumes.data.contains(path)) << "latest points to nothing";
  api->silent = {};
  settle();
  EXPECT_EQ(link(), one);
  EXPECT_FALSE(volumes.data.contains(path));
}

TEST_F(ImagesTest, AnImageThatSomebodyDeletesIsNotKeptByItsLink) {
  const auto one = snapshot("one");
  publish("VolumeSnapshot", "one");
  settle();
  remove(r::kVolumeSnapshots, "one");
  EXPECT_FALSE(volumes.data.contains(one));
  EXPECT_TRUE(list(r::kVolumeSnapshotContents).empty());
}

TEST_F(ImagesTest, OfADestinationThatIsGoneNeitherLinkNorImageStays) {
  const auto one = snapshot("one");
  publish("VolumeSnapshot", "one");
  settle();
  api->silent = {"replicationdestinations"};
  remove(r::kReplicationDestinations, "d");
  destination();  // another one of that name has no image yet
  remove(r::kVolumeSnapshots, "one");
  EXPECT_FALSE(volumes.data.contains(one));
  api->silent = {};
  settle();
  EXPECT_EQ(link(), "");
}

}  // namespace
}  // namespace godwit::sim
