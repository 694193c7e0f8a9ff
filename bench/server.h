// The real binary, standalone, as a child over a directory of its own; spoken to as kubectl would, over TLS on
// loopback.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/process.h"
#include "kube/http_api.h"

namespace godwit::bench {

// GODWIT_BENCH_SCALE, 0.001 to 10: what sizes and counts are multiplied with. 1 is what the aims speak of.
double scale();

// Removed with all that is in it at the end. Below GODWIT_BENCH_DIR, else $TMPDIR, else /var/tmp.
class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Server {
 public:
  // Returns after the first answered request. The log lies in the directory's parent, "standalone.log".
  static Result<std::unique_ptr<Server>> start(const std::filesystem::path& dataDir);
  ~Server();  // TERM, and waits

  kube::Api& api() { return *api_; }
  Result<std::int64_t> residentKiB() const;  // VmRSS

 private:
  explicit Server(Process process) : process_(std::move(process)) {}
  Process process_;
  SystemClock clock_;
  std::unique_ptr<kube::HttpApi> api_;
};

// One object, followed by a watch that is open before what changes it is done.
class Follower {
 public:
  // `key.name` empty: all of the kind in the namespace.
  static Result<Follower> open(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key);
  // Events are taken until one satisfies; Timeout with `what` after two minutes without any.
  Result<Json> until(const std::function<bool(const Json&)>& satisfied, const std::string& what);

 private:
  std::unique_ptr<kube::Watch> watch_;
};

}  // namespace godwit::bench
