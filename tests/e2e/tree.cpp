// Trees that careless copies get wrong, and the judge of equality.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/quickstart_data.h"
#include "installation.h"

namespace godwit::e2e {

namespace fs = std::filesystem;

namespace {

void put(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void sparse(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0640));
  ASSERT_EQ(::ftruncate(fd.get(), 96 << 20), 0);  // rsync sends holes as zeros: a larger one only takes longer
  ASSERT_EQ(::pwrite(fd.get(), "in the middle of nowhere", 24, 64 << 20), 24);
}

void oddTimes(const std::string& path) {
  const timespec times[2] = {{1'000'000'001, 123'456'789}, {1'500'000'000, 987'654'321}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
}

void asRoot(const std::string& dir) {
  ASSERT_EQ(::mknod((dir + "/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  put(dir + "/somebody's", "owned by others\n");
  ASSERT_EQ(::lchown((dir + "/somebody's").c_str(), 12345, 23456), 0);
  // File capabilities: cap_net_bind_service=ep, as linux/capability.h lays it out. (trusted.* wants a right no mover
  // has.)
  const unsigned char capability[20] = {1, 0, 0, 2, 0, 4};
  ASSERT_EQ(::setxattr((dir + "/somebody's").c_str(), "security.capability", capability, sizeof capability, 0), 0);
  const auto acl = runProcess({.argv = {"setfacl", "-m", "u:4321:rw,g:999:r", dir + "/somebody's"}});
  ASSERT_TRUE(acl.ok() && acl->status.success()) << "setfacl (package acl)";
}

}  // namespace

void makeNastyTree(const std::string& dir) {
  fs::create_directories(dir + "/deep/er/and/deeper");
  put(dir + "/plain", "hello\n");
  put(dir + "/empty", "");
  put(dir + "/large", std::string(9'000'001, 'x'));
  for (const char* name : {"new\nline", "sp ace", "-rf", "ümläut", "back\\slash", "quote'\"`$(id)", "*?[a]", ".hidden",
                           "bad\xff\xfe", "trailing "}) {
    put(dir + "/odd/" + name, std::string("named ") + name);
  }
  put(dir + "/" + std::string(255, 'n'), "the longest name\n");
  fs::create_hard_link(dir + "/plain", dir + "/deep/hard link");
  fs::create_symlink("plain", dir + "/relative");
  fs::create_symlink("/etc/passwd", dir + "/absolute");
  fs::create_symlink("nowhere/at all", dir + "/dangling");
  fs::create_directory_symlink("/", dir + "/to the root");
  ASSERT_EQ(::mkfifo((dir + "/fifo").c_str(), 0620), 0);
  sparse(dir + "/sparse");
  (void)::setxattr((dir + "/plain").c_str(), "user.godwit", "value\0with zero", 15, 0);
  ASSERT_EQ(::chmod((dir + "/empty").c_str(), 04751), 0);
  ASSERT_EQ(::chmod((dir + "/deep/er").c_str(), 01777), 0);
  if (::geteuid() == 0) asRoot(dir);
  for (const char* name : {"/plain", "/absolute", "/fifo", "/deep/er/and", "/deep"}) oddTimes(dir + name);
}

std::string difference(const std::string& from, const std::string& to) {
  const auto found = cli::differences(from, to);
  return found.ok() ? *found : found.error().message;
}

}  // namespace godwit::e2e
