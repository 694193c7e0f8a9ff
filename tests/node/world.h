// One machine in one thread: the store, the controllers, scripted containers and volumes in memory.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "sim/fake_volumes.h"
#include "sim/faulty_api.h"
#include "sim/scripted_runner.h"
#include "standalone/job_controller.h"
#include "standalone/node.h"
#include "standalone/snapshot_controller.h"
#include "standalone/storage_controller.h"
#include "standalone/store.h"

namespace godwit::sim {

class FakePorts final : public standalone::Ports {
 public:
  std::map<int, State> states;  // what is not here is free
  State look(int port, bool) override { return states.contains(port) ? states[port] : State::Free; }
  std::string holder(int) override { return "sshd (pid 812)"; }
};

class World : public testing::Test {
 protected:
  World();
  void SetUp() override;
  // Controllers as a restarted process has them; containers of the earlier life are dead.
  void restart();
  void settle();                              // until nothing moves
  void advance(Duration by);                  // and settle
  std::optional<Duration> nextDelay() const;  // until storage or snapshots are looked at again by the clock
  Json create(const kube::ResourceType& type, Json object);
  Json get(const kube::ResourceType& type, const std::string& name);  // null when absent
  std::vector<Json> list(const kube::ResourceType& type);
  void remove(const kube::ResourceType& type, const std::string& name);
  std::vector<std::string> eventReasons();
  Json claim(const std::string& name, Json spec = Json::object());
  Json job(const std::string& name, Json podSpec = Json::object(), std::int64_t backoffLimit = 2);

  ManualClock clock{TimePoint(std::chrono::hours(24 * 365 * 50))};
  Random random{1};
  std::unique_ptr<standalone::Store> store;
  std::unique_ptr<FaultyApi> api;  // the controllers' way to the store
  std::string images;              // where the links to newest images are
  FakeVolumes volumes;
  ScriptedRunner runner;
  FakePorts ports;
  struct Life;
  std::unique_ptr<Life> life;

 public:
  ~World() override;
};

}  // namespace godwit::sim
