#include "mover/address.h"

#include <gtest/gtest.h>

#include "mover/account_view.h"
#include "mover/child.h"
#include "mover/ssh_link.h"
#include "mover/unescape.h"

namespace godwit::mover {
namespace {

TEST(Address, ReadsWhereToListen) {
  EXPECT_EQ(parseListen("8022")->port, 8022);
  EXPECT_EQ(parseListen("8022")->host, "");
  EXPECT_EQ(parseListen("127.0.0.1:0")->host, "127.0.0.1");
  EXPECT_EQ(parseListen("[::1]:22")->host, "::1");
  for (const auto* text : {"", ":", "x", "70000", "-1", "::1", "::1:22", "1.2.3.4", "a b:1", "[]:1"}) {
    EXPECT_TRUE(parseListen(text).is(Errc::Invalid)) << text;
  }
}

TEST(Address, TakesHostsWithAndWithoutBrackets) {
  EXPECT_EQ(*parseHost("[fe80::1%eth0]"), "fe80::1%eth0");
  EXPECT_EQ(*parseHost("fe80::1"), "fe80::1");
  EXPECT_EQ(*parseHost("my.host.com"), "my.host.com");
  for (const auto* text : {"", "-oProxyCommand=x", "a b", "a\nUser x", "a*", "host/x"}) {
    EXPECT_TRUE(parseHost(text).is(Errc::Invalid)) << text;
  }
}

TEST(Address, NamesThePortThatIsTaken) {
  auto first = listenTcp({"127.0.0.1", 0});
  ASSERT_TRUE(first.ok());
  const auto name = ownName(first->get());
  const auto second = listenTcp(*parseListen(name));
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("--listen"), std::string::npos);
}

TEST(AccountView, ChecksLoginNames) {
  for (const auto* user : {"root", "backup-1", "Jane.Doe", "_x"}) EXPECT_TRUE(checkUser(user).ok()) << user;
  for (const auto* user : {"", "-x", "1a", "a:b", "a\nb", "a b", "sshd"})
    EXPECT_TRUE(checkUser(user).is(Errc::Invalid)) << user;
}

TEST(AccountView, HoldsRootSshdAndTheUserAlone) {
  EXPECT_EQ(passwdText("joe", 1000, 100, "/bin/godwit"),
            "root:x:1000:100:root:/tmp:/bin/godwit\nsshd:x:65533:65533:sshd:/run/sshd:/usr/sbin/"
            "nologin\njoe:x:1000:100::/tmp:/bin/godwit\n");
}

TEST(SshLink, EscapesWhatSplitCommandTakesApart) {
  for (const std::string word : {"", "plain", "a b", "new\nline", "q'\"\\$`;", "\xff\xc3\xa4", "tab\t*?[]"}) {
    const auto words = splitCommand("x " + escapeWord(word));
    ASSERT_TRUE(words.ok()) << word;
    EXPECT_EQ(words->at(1), word);
  }
}

TEST(SshLink, TellsWaitingFromHopeless) {
  EXPECT_EQ(diagnoseSsh("ssh: connect to host h port 22: Connection refused\r\n", "h").code, Errc::Unavailable);
  EXPECT_EQ(diagnoseSsh("kex_exchange_identification: Connection closed by remote host", "h").code, Errc::Unavailable);
  EXPECT_EQ(diagnoseSsh("", "h").code, Errc::Unavailable);
  EXPECT_EQ(diagnoseSsh("@@ REMOTE HOST IDENTIFICATION HAS CHANGED! @@\nHost key verification failed.", "h").code,
            Errc::Forbidden);
  EXPECT_EQ(diagnoseSsh("root@h: Permission denied (publickey).", "h").code, Errc::Forbidden);
  EXPECT_EQ(diagnoseSsh("Load key \"/x\": invalid format\nroot@h: Permission denied (publickey).", "h").code,
            Errc::Invalid);
}

TEST(LineCutter, CutsAtBothLineEndsAndBoundsALine) {
  std::vector<std::string> lines;
  LineCutter cutter([&](std::string_view line) { lines.emplace_back(line); });
  cutter.feed("a\rb\r\nc");
  cutter.feed("d\n\n" + std::string(10000, 'x') + "\nlast");
  cutter.finish();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[2], "cd");
  EXPECT_EQ(lines[3].size(), 4096u);
  EXPECT_EQ(lines[4], "last");
}

}  // namespace
}  // namespace godwit::mover
