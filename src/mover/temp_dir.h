// The mover's private directory: keys, sockets and generated configuration, in memory where /tmp is (it is in a pod).
#pragma once
#include <string>

#include "base/result.h"

namespace godwit::mover {

class TempDir {
 public:
  // Makes a directory of mode 0700 under GODWIT_TMP, else /tmp. Its path is short enough for a unix socket inside.
  static Result<TempDir> make();

  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();  // removes it with all it holds

  const std::string& path() const { return path_; }
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The value of an environment variable, or `otherwise` when it is unset or empty.
std::string environment(const char* name, const std::string& otherwise = {});

}  // namespace godwit::mover
