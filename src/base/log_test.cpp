#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"

namespace godwit {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(file_.valid()); }
  void TearDown() override { log::configure({}); }
  void configure(log::Level level, log::Format format) {
    log::configure({.level = level, .format = format, .fd = file_.get()});
  }
  std::string written() const {
    std::string out(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_END)), 0);
    EXPECT_EQ(::pread(file_.get(), out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
    return out;
  }

 private:
  UniqueFd file_{::memfd_create("log", MFD_CLOEXEC)};
};

TEST_F(Log, BelowItsLevelNothingIsWritten) {
  configure(log::Level::Warn, log::Format::Text);
  log::debug("room", "a");
  log::info("room", "b");
  log::warn("room", "c");
  log::error("room", "d");
  EXPECT_THAT(written(), testing::MatchesRegex("[0-9T:.Z-]+ WARN  room: c\n[0-9T:.Z-]+ ERROR room: d\n"));
}

TEST_F(Log, AsJsonEachMessageIsOneLineThatParses) {
  configure(log::Level::Info, log::Format::Json);
  log::info("room", "{}", "a \"quoted\" word,\na second line and \xff");
  const auto text = written();
  ASSERT_EQ(text.find('\n'), text.size() - 1);
  const auto line = parseJson(text);
  ASSERT_TRUE(line.ok()) << text;
  EXPECT_EQ(godwit::text(*line, "level"), "info");
  EXPECT_EQ(godwit::text(*line, "logger"), "room");
  EXPECT_THAT(godwit::text(*line, "msg"), testing::StartsWith("a \"quoted\" word,\na second line and "));
  EXPECT_THAT(godwit::text(*line, "ts"), testing::MatchesRegex("[0-9-]+T[0-9:.]+Z"));
}

TEST_F(Log, LevelsAreWords) {
  auto level = log::Level::Info;
  EXPECT_TRUE(log::parse("debug", level));
  EXPECT_EQ(level, log::Level::Debug);
  EXPECT_FALSE(log::parse("loud", level));
}

}  // namespace
}  // namespace godwit
