#include "standalone/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fd.h"
#include "base/process.h"
#include "standalone/store.h"

namespace godwit::standalone {
namespace {

namespace fs = std::filesystem;
namespace r = kube::resources;
using testing::HasSubstr;

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "godwit-journal-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    dir = name;
    path = dir / "state.db";
  }
  void TearDown() override { fs::remove_all(dir); }

  Result<std::unique_ptr<Store>> open(std::function<Result<void>()> fault = {}) {
    return Store::open({.database = path, .journalFault = std::move(fault)}, clock, random);
  }
  static Json secret(const std::string& name) { return {{"metadata", {{"name", name}, {"namespace", "default"}}}}; }
  std::string bytes() { return *readFile(path); }
  void write(const std::string& data) { std::ofstream(path, std::ios::binary) << data; }

  fs::path dir, path;
  SystemClock clock;
  Random random{1};
};

TEST_F(JournalTest, EverythingIsThereAfterReopening) {
  std::string version;
  Json kept;
  {
    auto store = open();
    ASSERT_TRUE(store.ok()) << store.error().message;
    kept = *(*store)->create(r::kSecrets, secret("kept"));
    ASSERT_TRUE((*store)->create(r::kSecrets, secret("gone")).ok());
    ASSERT_TRUE((*store)->remove(r::kSecrets, {"default", "gone"}, {}).ok());
    version = (*store)->resourceVersion();
  }
  auto store = open();
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ((*store)->resourceVersion(), version);  // also the deletion's number is never given twice
  EXPECT_EQ(*(*store)->get(r::kSecrets, {"default", "kept"}), kept);
  EXPECT_TRUE((*store)->get(r::kSecrets, {"default", "gone"}).is(Errc::NotFound));
  EXPECT_TRUE((*store)->watch(r::kSecrets, {"", "", "", "1", true}).is(Errc::Gone));
  EXPECT_TRUE((*store)->watch(r::kSecrets, {"", "", "", version, true}).ok());
}

TEST_F(JournalTest, HoldsSecretsForItsOwnerOnly) {
  const auto store = open();
  ASSERT_TRUE(store.ok());
  for (const auto& entry : fs::directory_iterator(dir)) {
    EXPECT_EQ(fs::status(entry).permissions() & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write)
        << entry;
  }
}

TEST_F(JournalTest, ASecondProcessIsToldWhoHoldsIt) {
  const auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  ASSERT_TRUE(second.is(Errc::Conflict));
  EXPECT_THAT(second.error().message, HasSubstr("held by process " + std::to_string(::getpid())));
}

TEST_F(JournalTest, AWriteThatCannotBeMadeDurableIsRefused) {
  bool full = false;
  const auto store = open([&]() -> Result<void> {
    if (full) return Error{Errc::Io, "disk full"};
    return {};
  });
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->create(r::kSecrets, secret("a")).ok());
  const auto version = (*store)->resourceVersion();
  full = true;
  EXPECT_TRUE((*store)->create(r::kSecrets, secret("b")).is(Errc::Io));
  EXPECT_TRUE((*store)->remove(r::kSecrets, {"default", "a"}, {}).is(Errc::Io));
  EXPECT_EQ((*store)->resourceVersion(), version);
  EXPECT_TRUE((*store)->get(r::kSecrets, {"default", "a"}).ok());
  EXPECT_TRUE((*store)->get(r::kSecrets, {"default", "b"}).is(Errc::NotFound));
  full = false;
  EXPECT_TRUE((*store)->create(r::kSecrets, secret("b")).ok());
}

TEST_F(JournalTest, WhatIsNoDatabaseIsLeftAlone) {
  write(
      "this is somebody's diary, and certainly no SQLite file of any kind; it is longer than one header of a hundred "
      "bytes");
  const auto before = bytes();
  const auto store = open();
  ASSERT_TRUE(store.is(Errc::Invalid));
  EXPECT_THAT(store.error().message, HasSubstr("damaged"));
  EXPECT_THAT(store.error().message, HasSubstr(".dump"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(JournalTest, DamageIsFoundAndNotOverwritten) {
  {
    const auto store = open();
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*store)->create(r::kSecrets, secret("s" + std::to_string(i))).ok());
  }
  auto data = bytes();
  ASSERT_GT(data.size(), 8192u);
  for (std::size_t i = 4096; i < data.size(); i += 7) data[i] = '\x5a';
  write(data);
  const auto store = open();
  ASSERT_TRUE(store.is(Errc::Invalid)) << (store.ok() ? "opened" : store.error().message);
  EXPECT_THAT(store.error().message, HasSubstr(path.string() + " is damaged"));
  EXPECT_EQ(bytes(), data);
}

// The command of the message, typed as it stands there; page 3 holds the counter of writes, the last one objects.
TEST_F(JournalTest, WhatTheMessageAdvisesSalvages) {
  if (!runProcess({.argv = {"sqlite3", "-version"}}).ok())
    GTEST_SKIP() << "SKIPPED: no sqlite3 here; salvaging a damaged file is NOT tested";
  std::string version;
  {
    const auto store = open();
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*store)->create(r::kSecrets, secret("s" + std::to_string(i))).ok());
    version = (*store)->resourceVersion();
  }
  const auto whole = bytes();
  for (const std::size_t page : {std::size_t{3}, whole.size() / 4096}) {
    auto data = whole;
    for (std::size_t i = (page - 1) * 4096; i < page * 4096; ++i) data[i] = static_cast<char>(data[i] ^ 0x5a);
    write(data);
    const auto broken = open();
    ASSERT_TRUE(broken.is(Errc::Invalid)) << page;
    const auto& message = broken.error().message;
    const auto from = message.find('`') + 1;
    ASSERT_TRUE(runProcess({.argv = {"sh", "-c", message.substr(from, message.find('`', from) - from)}}).ok());
    fs::rename(path.string() + ".new", path);
    const auto salvaged = open();
    ASSERT_TRUE(salvaged.ok()) << salvaged.error().message;
    EXPECT_GT((*salvaged)->list(r::kSecrets, {})->items.size(), 100u) << page;
    EXPECT_EQ((*salvaged)->resourceVersion(), version) << page;
  }
}

TEST_F(JournalTest, ATruncatedFileNeverCrashesNorLosesSilently) {
  {
    const auto store = open();
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 40; ++i) ASSERT_TRUE((*store)->create(r::kSecrets, secret("s" + std::to_string(i))).ok());
  }
  const auto whole = bytes();
  for (std::size_t size = 1; size < whole.size(); size += 997) {
    write(whole.substr(0, size));
    EXPECT_TRUE(open().is(Errc::Invalid)) << size;
  }
}

TEST_F(JournalTest, AnUnwritableDirectoryIsNamed) {
  const auto store = Store::open({.database = "/nonexistent/state.db"}, clock, random);
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(store.error().message, HasSubstr("/nonexistent/state.db"));
}

}  // namespace
}  // namespace godwit::standalone
