#include "api/names.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace godwit::api;

TEST(Names, AsTheContractSays) {
  EXPECT_EQ(jobName(Role::Source, "a"), "volsync-rsync-src-a");
  EXPECT_EQ(jobName(Role::Destination, "a"), "volsync-rsync-dst-a");
  EXPECT_EQ(serviceName(Role::Destination, "a"), "volsync-rsync-dst-a");
  EXPECT_EQ(mainSecretName(Role::Destination, "a"), "volsync-rsync-dst-main-a");
  EXPECT_EQ(sourceSecretName(Role::Destination, "database-destination"), "volsync-rsync-dst-src-database-destination");
  EXPECT_EQ(destSecretName(Role::Source, "a"), "volsync-rsync-src-dest-a");
  EXPECT_EQ(volumeName(Role::Source, "a"), "volsync-a-src");
  EXPECT_EQ(volumeName(Role::Destination, "a"), "volsync-a-dst");
  EXPECT_EQ(accountName(Role::Source, "a"), "volsync-src-a");
  EXPECT_EQ(podNameLabel(Role::Destination, "a"), "dst-a");
  EXPECT_EQ(imageName("volsync-dest-test", *parseTime("2021-01-14T19:43:05Z")), "volsync-dest-test-20210114194305");
}

TEST(Names, TooLongBecomesCrc32) {
  // At the limit a name stays, one over it is hashed; a Service's name holds no dots.
  const std::string fits(63 - std::string("volsync-rsync-src-").size(), 'x');
  EXPECT_EQ(jobName(Role::Source, fits), "volsync-rsync-src-" + fits);
  EXPECT_EQ(jobName(Role::Source, fits + "x").size(), std::string("volsync-rsync-src-").size() + 8);
  EXPECT_EQ(serviceName(Role::Source, "1.3"), "volsync-rsync-src-6e3f3e8f");
  const std::string longest(253, 'n');
  for (const Role role : {Role::Source, Role::Destination}) {
    EXPECT_LE(jobName(role, longest).size(), 63u);
    EXPECT_LE(serviceName(role, longest).size(), 63u);
    EXPECT_LE(podNameLabel(role, longest).size(), 63u);
    for (const auto& name : {mainSecretName(role, longest), sourceSecretName(role, longest),
                             destSecretName(role, longest), volumeName(role, longest), accountName(role, longest)})
      EXPECT_LE(name.size(), 253u);
  }
  EXPECT_LE(imageName(longest, TimePoint{}).size(), 253u);
  EXPECT_NE(jobName(Role::Source, longest), jobName(Role::Source, std::string(252, 'n')));
}
