// Where a standalone Godwit keeps everything: one directory, one process at a time.
#pragma once
#include <filesystem>
#include <string>

#include "base/fd.h"

namespace godwit::cli {

// /var/lib/godwit for root; $XDG_DATA_HOME/godwit or ~/.local/share/godwit for everybody else.
std::filesystem::path defaultDataDir();

class DataDir {
 public:
  // Makes it (0700: it holds keys and other people's data) and locks it until destruction. Forbidden with the holder's
  // pid when another process has it.
  static Result<DataDir> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path kubeconfig() const { return path_ / "kubeconfig"; }

  // The text of a file in it; when absent, what `make` returns is kept there (0600) and returned.
  template <class Make>
  Result<std::string> keep(const std::string& name, Make make) const {
    if (auto text = readFile(path_ / name); text || !text.is(Errc::NotFound)) return text;
    GODWIT_ASSIGN(std::string text, make());
    GODWIT_TRY(writeFileAtomic(path_ / name, text, 0600));
    return text;
  }

 private:
  DataDir(std::filesystem::path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  UniqueFd lock_;
};

// 256 bits from the kernel, as hex.
Result<std::string> randomToken();

// A kubeconfig with one cluster, user and context named "godwit".
std::string kubeconfigText(const std::string& server, const std::string& caPem, const std::string& token);

}  // namespace godwit::cli
