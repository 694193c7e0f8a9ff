#include "mover/session.h"

#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mover/control.h"

namespace godwit::mover {
namespace {

using testing::HasSubstr;

TEST(Session, ConfinesWhateverTheKernelsLandlockLetsWork) {
  for (const auto use : {VolumeUse::Read, VolumeUse::WriteFiles, VolumeUse::WriteDevice}) {
    EXPECT_THAT(whyUnconfined(use, 0).value_or(""), HasSubstr("no Landlock"));
    for (const int abi : {2, 3, 7}) EXPECT_FALSE(whyUnconfined(use, abi)) << abi;
  }
  EXPECT_THAT(whyUnconfined(VolumeUse::WriteFiles, 1).value_or(""), HasSubstr("hard links"));
  EXPECT_FALSE(whyUnconfined(VolumeUse::Read, 1));
  EXPECT_FALSE(whyUnconfined(VolumeUse::WriteDevice, 1));
}

TEST(Session, SaysThatAWriterIsNotConfined) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd listener(ends[1]);
  Session session;
  session.control = UniqueFd(ends[0]);
  const auto confined = confineToVolume(session, VolumeUse::WriteFiles, 1);
  ASSERT_TRUE(confined.ok()) << confined.error().message;
  EXPECT_FALSE(*confined);
  const auto note = receiveMessage(listener.get());
  ASSERT_TRUE(note.ok());
  EXPECT_THAT(*note, HasSubstr("hard links"));
}

}  // namespace
}  // namespace godwit::mover
