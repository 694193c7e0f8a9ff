// The Runner of production: containers under bubblewrap; where that cannot start, plain processes under Landlock.
#pragma once
#include <memory>
#include <string>

#include "standalone/runner.h"
#include "standalone/sandbox_plan.h"

namespace godwit::standalone {

class Sandbox final : public Runner {
 public:
  enum class Mode { Bubblewrap, Landlock, Plain };
  struct Options {
    std::string stateDir;       // the parent of all containers' state directories
    bool mayNamespaces = true;  // false: do not even try bubblewrap
    std::string self;           // the godwit binary; empty: this very program
  };
  // Tries bubblewrap once and warns, with its reason, when something weaker must do. What an earlier life left in
  // memory (Secrets) is removed, and what it left running ended.
  static Result<std::unique_ptr<Sandbox>> open(const Options& options);
  ~Sandbox() override;  // forgets every Secret; the containers have ended by then

  Result<std::unique_ptr<RunningContainer>> start(const ContainerSpec& spec) override;
  std::string terminationMessage(const std::string& stateDir) override;
  void forget(const std::string& stateDir) override;
  Mode mode() const { return mode_; }

 private:
  explicit Sandbox(Options options) : options_(std::move(options)), host_(readHostLayout()) {
    if (!options_.self.empty()) host_.self = options_.self;
  }
  Result<void> chooseMemory();
  Result<void> probe();
  Result<void> prepareState(const std::string& stateDir) const;
  Result<std::vector<PlacedMount>> place(const ContainerSpec& spec) const;
  std::string memoryOf(const std::string& stateDir) const;
  Result<std::unique_ptr<RunningContainer>> startBubblewrap(const ContainerSpec& spec,
                                                            const std::vector<PlacedMount>& mounts, int log);
  Result<std::unique_ptr<RunningContainer>> startPlain(const ContainerSpec& spec,
                                                       const std::vector<PlacedMount>& mounts, int log);

  Options options_;
  HostLayout host_;
  std::string memory_;  // a directory in memory for Secrets and temporary files
  Mode mode_ = Mode::Bubblewrap;
};

}  // namespace godwit::standalone
