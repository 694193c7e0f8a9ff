#include "mover/temp_dir.h"

#include <stdlib.h>

#include <filesystem>

#include <fmt/core.h>

namespace godwit::mover {

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = ::getenv(name);
  return value && *value ? value : otherwise;
}

Result<TempDir> TempDir::make() {
  // A unix socket's path has 107 bytes, of which ssh appends 17 and we some more.
  constexpr std::size_t kMaxBase = 60;
  const auto base = environment("GODWIT_TMP", "/tmp");
  if (base.size() > kMaxBase || base[0] != '/' || base.find_first_of(" \t\"'%$\\\n") != std::string::npos) {
    return Error{Errc::Invalid, fmt::format("GODWIT_TMP={}: name an absolute directory of at most {} plain characters",
                                            base, kMaxBase)};
  }
  std::string path = base + "/godwit-XXXXXX";
  if (!::mkdtemp(path.data()))
    return errnoError("a private directory in " + base + " (set GODWIT_TMP to a writable one)");
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  std::error_code ignored;  // what is left behind is in memory or in /tmp, private to us
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace godwit::mover
