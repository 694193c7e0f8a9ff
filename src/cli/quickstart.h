// The five-minute tour: the seed's two manifests on this machine, with real data, shown live.
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>

#include "api/replication.h"
#include "base/result.h"
#include "cli/standalone.h"
#include "cli/terminal.h"

namespace godwit::cli {

struct QuickstartOptions {
  std::filesystem::path dir = "build/quickstart";  // made anew; only a directory that an earlier tour made is emptied
  std::filesystem::path manifests = "examples/quickstart";  // 10-volume, 20-destination, 30-source
  bool once = false;
};

class Tour {
 public:
  Tour(Standalone& godwit, const QuickstartOptions& options, Terminal& terminal, std::stop_token stop)
      : godwit_(godwit), options_(options), terminal_(terminal), stop_(stop) {}

  // From an empty server to two replicated images that equal their source. The first thing that goes wrong ends it.
  Result<void> run();

 private:
  Result<void> makeVolume();
  Result<void> makeDestination();
  Result<void> copySecret();
  Result<void> makeSource();
  Result<void> firstSync();
  Result<void> change();
  Result<void> secondSync();
  Result<void> compare();

  Result<Json> manifest(const char* file, const char* kind) const;
  Result<void> apply(const Json& object);
  // The source after a sync that began at or after `since`; progress is drawn meanwhile.
  Result<Json> awaitSync(TimePoint since);
  Result<Json> followSource(std::function<bool(const Json&)> ready);
  static TimePoint startOf(const api::Replication& synced);
  Result<Json> awaitImage(TimePoint since);  // the destination with the image of the sync that began then
  Result<void> reportSync(const char* which, const Json& source);
  void drawProgress(const Json& source);
  void say(const std::string& text);

  Standalone& godwit_;
  const QuickstartOptions& options_;
  Terminal& terminal_;
  std::stop_token stop_;
  int step_ = 0;
  std::filesystem::path volume_;  // the source volume's files
  Json destination_;              // as last seen
  std::string image_;             // the newest one's name
  TimePoint changed_{};
};

}  // namespace godwit::cli
