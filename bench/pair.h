// A destination that always listens and a source that syncs when told: what is measured.
#pragma once
#include "bench/server.h"

namespace godwit::bench {

enum class Copy { Direct, Snapshot };

class Pair {
 public:
  // Makes both volumes and both objects in namespace `name`, and sees the first sync through. `source` and
  // `destination` are directories of this host; with Snapshot both volumes are Godwit's own and `source` is copied in.
  static Result<std::unique_ptr<Pair>> make(Server& server, const std::string& name, Copy copy,
                                            const std::filesystem::path& source,
                                            const std::filesystem::path& destination);

  // A round is these four in this order. Asks for one more sync; returns when the PATCH is answered.
  Result<void> trigger();
  // Until the source's Job runs.
  Result<void> awaitMover();
  // Until the source has finished what trigger() asked for, and the destination has published.
  Result<void> awaitSynced();
  // Until the destination listens for the next one.
  Result<void> awaitListening();

 private:
  Pair(Server& server, std::string name) : api_(server.api()), name_(std::move(name)) {}
  Result<void> volumes(Copy copy, const std::filesystem::path& source, const std::filesystem::path& destination);
  Result<void> hostVolume(const std::string& claim, const std::filesystem::path& path);
  Result<void> ownVolume(const std::string& claim, const std::filesystem::path& content);
  Result<void> objects(Copy copy);

  kube::Api& api_;
  std::string name_;
  int round_ = 0;
  std::string published_;                         // the destination's lastSyncTime and image before this round
  std::string sourceJobUid_, destinationJobUid_;  // of the last Jobs seen running
  std::optional<Follower> source_, destination_, sourceJob_, destinationJob_;
};

// Copies `from`'s content into `to` as `cp -a` does.
Result<void> copyTree(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace godwit::bench
