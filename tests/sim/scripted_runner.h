// Containers that do what a script says, without processes. One object stands for the machine: it outlives a node that
// is killed, and machineDied() is what --die-with-parent does to the containers then.
#pragma once
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "standalone/runner.h"

namespace godwit::sim {

class ScriptedRunner final : public standalone::Runner {
 public:
  struct Outcome {
    ExitStatus exit;
    std::string message;  // into the termination log
  };
  struct Container {
    standalone::ContainerSpec spec;
    bool terminated = false;  // TERM has come
    std::optional<Outcome> outcome;
  };
  // Asked at each look at a running container; nullopt: it runs on. Without a script it runs until it is ended.
  std::function<std::optional<Outcome>(Container&)> script;
  std::function<Result<void>(const standalone::ContainerSpec&)> gate;  // an error refuses the start

  std::list<std::shared_ptr<Container>> running;
  std::map<std::string, int> starts;  // by pod ("namespace/name/uid")
  bool doubled = false;               // two containers ran for one pod at the same time: must never be

  Result<std::unique_ptr<standalone::RunningContainer>> start(const standalone::ContainerSpec& spec) override {
    if (gate) GODWIT_TRY(gate(spec));
    for (const auto& other : running) doubled |= other->spec.pod == spec.pod;
    ++starts[spec.pod];
    running.push_back(std::make_shared<Container>(Container{spec}));
    return std::unique_ptr<standalone::RunningContainer>(std::make_unique<Handle>(*this, running.back()));
  }
  std::string terminationMessage(const std::string& stateDir) override { return messages_[stateDir]; }
  void forget(const std::string& stateDir) override { messages_.erase(stateDir); }
  void machineDied() { running.clear(); }

 private:
  class Handle final : public standalone::RunningContainer {
   public:
    Handle(ScriptedRunner& runner, std::shared_ptr<Container> container)
        : runner_(runner), container_(std::move(container)) {}
    std::optional<ExitStatus> poll() override {
      if (!container_->outcome && runner_.script) container_->outcome = runner_.script(*container_);
      if (!container_->outcome) return std::nullopt;
      runner_.messages_[container_->spec.stateDir] = container_->outcome->message;
      runner_.running.remove(container_);
      return container_->outcome->exit;
    }
    void signal(int) override { container_->terminated = true; }
    void kill() override {
      if (!container_->outcome) container_->outcome = Outcome{{137, 9}, ""};
      runner_.running.remove(container_);
    }
    int eventFd() const override { return -1; }

   private:
    ScriptedRunner& runner_;
    std::shared_ptr<Container> container_;
  };
  std::map<std::string, std::string> messages_;
};

}  // namespace godwit::sim
