// What Godwit is measured against: `rsync -a` over ssh to an sshd of our own on a loopback port.
#pragma once
#include <optional>
#include <string>

#include "base/process.h"

namespace godwit::bench {

class PlainRsync {
 public:
  explicit PlainRsync(std::string dir) : dir_(std::move(dir)) {}
  ~PlainRsync();
  Result<void> start();  // keys, sshd, and that it answers
  Result<void> copy(const std::string& from, const std::string& to) const;

 private:
  std::string dir_;
  int port_ = 0;
  std::optional<Process> sshd_;
};

}  // namespace godwit::bench
