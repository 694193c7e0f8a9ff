#include "mover/foreign_root.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "mover/keys.h"

// The library's bytes: the build names the file.
asm(".pushsection .rodata\n"
    "godwit_foreign_root_begin: .incbin \"" GODWIT_FOREIGN_ROOT_LIBRARY
    "\"\n"
    "godwit_foreign_root_end: .byte 0\n"
    ".popsection\n");
extern "C" const char godwit_foreign_root_begin[], godwit_foreign_root_end[];

namespace godwit::mover {

bool isForeign(int directory) {
  struct stat st {};
  return ::geteuid() != 0 && ::fstat(directory, &st) == 0 && st.st_uid != ::geteuid();
}

Result<void> writeForeignRootLibrary(const std::string& path) {
  const auto size = static_cast<std::size_t>(godwit_foreign_root_end - godwit_foreign_root_begin);
  return writePrivate(path, {godwit_foreign_root_begin, size});
}

void spareForeignRoot(std::vector<std::string>& environment, const std::string& library, int directory) {
  constexpr std::string_view kPreload = "LD_PRELOAD=";
  struct stat st {};
  if (::fstat(directory, &st) != 0) return;
  environment.push_back(fmt::format("GODWIT_FOREIGN_ROOT={}:{}", st.st_dev, st.st_ino));
  for (auto& variable : environment) {
    if (variable.starts_with(kPreload)) return void(variable += ":" + library);
  }
  environment.push_back(std::string(kPreload) + library);
}

}  // namespace godwit::mover
