#include "cli/data_dir.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "api/core.h"
#include "api/yaml.h"

namespace godwit::cli {

std::filesystem::path defaultDataDir() {
  if (::geteuid() == 0) return "/var/lib/godwit";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && data[0] == '/')
    return std::filesystem::path(data) / "godwit";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : ".") / ".local/share/godwit";
}

namespace {

Result<UniqueFd> lock(const std::filesystem::path& dir) {
  const auto path = dir / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return errnoError("cannot open " + path.string());
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errnoError("cannot lock " + path.string());
    const auto holder = readFile(path, 64);
    return Error{Errc::Forbidden, fmt::format("{} is held by {}; stop it, or give another --data-dir", dir.string(),
                                              holder && !holder->empty() ? "process " + *holder : "another process")};
  }
  if (::ftruncate(fd.get(), 0) != 0) return errnoError("cannot write " + path.string());
  GODWIT_TRY(writeAll(fd.get(), std::to_string(::getpid())));
  return fd;
}

}  // namespace

Result<DataDir> DataDir::open(const std::filesystem::path& path) {
  std::error_code failed;
  auto whole = std::filesystem::absolute(path, failed).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();  // "dir/" is "dir"
  const bool fresh = std::filesystem::create_directories(whole, failed);
  if (failed) return errnoError("cannot make the data directory " + whole.string(), failed.value());
  if (fresh && ::chmod(whole.c_str(), 0700) != 0) return errnoError("chmod " + whole.string());
  GODWIT_ASSIGN(auto held, lock(whole));
  return DataDir(std::move(whole), std::move(held));
}

Result<std::string> randomToken() {
  unsigned char bytes[32];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return errnoError("getrandom");
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string kubeconfigText(const std::string& server, const std::string& caPem, const std::string& token) {
  const Json cluster = {{"server", server}, {"certificate-authority-data", api::base64Encode(caPem)}};
  return api::toYaml({{"apiVersion", "v1"},
                      {"kind", "Config"},
                      {"current-context", "godwit"},
                      {"clusters", {{{"name", "godwit"}, {"cluster", cluster}}}},
                      {"users", {{{"name", "godwit"}, {"user", {{"token", token}}}}}},
                      {"contexts", {{{"name", "godwit"}, {"context", {{"cluster", "godwit"}, {"user", "godwit"}}}}}}});
}

}  // namespace godwit::cli
