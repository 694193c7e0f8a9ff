#include "cli/notify.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "base/fd.h"
#include "cli/testing.h"

namespace godwit::cli {
namespace {

TEST(Notify, SaysItToTheSocketOfTheEnvironment) {
  const TempDir temp;
  const auto path = (temp.path() / "notify").string();
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  notifySystemd("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  notifySystemd("STOPPING=1");  // nobody to tell
  char text[32] = {};
  ASSERT_EQ(::recv(socket.get(), text, sizeof text - 1, MSG_DONTWAIT), 7);
  EXPECT_STREQ(text, "READY=1");
  EXPECT_LT(::recv(socket.get(), text, sizeof text - 1, MSG_DONTWAIT), 0);
}

// systemd.exec(5): each of these gives the service a mount namespace, in which the pool and the images would be hidden.
TEST(SystemdUnit, TheMountsOfTheServiceAreSeenByTheMachine) {
  const auto unit = readFile(GODWIT_SOURCE_DIR "/deploy/systemd/godwit.service");
  ASSERT_TRUE(unit.ok()) << unit.error().message;
  for (const char* option : {"PrivateMounts",        "PrivateTmp",        "PrivateDevices",
                             "ProtectSystem",        "ProtectHome",       "ProtectKernelTunables",
                             "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
                             "ProtectHostname",      "ProtectProc",       "ReadOnlyPaths",
                             "ReadWritePaths",       "InaccessiblePaths", "ExecPaths",
                             "NoExecPaths",          "BindPaths",         "BindReadOnlyPaths",
                             "TemporaryFileSystem",  "RootDirectory",     "RootImage",
                             "MountImages",          "DynamicUser",       "MountFlags"}) {
    EXPECT_EQ(unit->find(std::string("\n") + option + "="), std::string::npos) << option;
  }
  EXPECT_NE(unit->find("\nType=notify\n"), std::string::npos);
}

}  // namespace
}  // namespace godwit::cli
