// File descriptors with an owner, and whole-file helpers that are durable when they say so.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

struct Pipe {
  UniqueFd read, write;
};
// Both ends close-on-exec.
Result<Pipe> makePipe();

// Reads the whole file; Invalid when it is larger than `limit` bytes.
Result<std::string> readFile(const std::filesystem::path& path, std::size_t limit = 64 << 20);

// Writes everything, restarting after EINTR and short writes.
Result<void> writeAll(int fd, std::string_view data);

// Replaces `path` atomically: temporary file beside it, fsync, rename, fsync of the directory. `mode` is exact.
Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view data, unsigned mode = 0644);

// Makes directory entries under `dir` durable (fsync of the directory).
Result<void> syncDirectory(const std::filesystem::path& dir);

}  // namespace godwit
