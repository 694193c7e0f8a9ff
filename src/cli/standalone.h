// A whole Godwit in this process: API server, volumes, node and operator over one data directory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kube/api.h"
#include "replication/controller.h"
#include "standalone/pool.h"

namespace godwit::cli {

struct StandaloneOptions {
  std::filesystem::path dataDir;
  std::string address = "127.0.0.1";
  std::uint16_t port = 7443;           // 0: any free one
  std::vector<std::string> manifests;  // files and directories, applied at start
  standalone::PoolOptions pool;
  replication::ControllerConfig controller;
};

class Standalone {
 public:
  // Everything runs when this returns, and the kubeconfig is written. Forbidden: the data directory or the port is held
  // by another process, which the message names.
  static Result<std::unique_ptr<Standalone>> start(StandaloneOptions options);
  ~Standalone();  // stops: movers are told to end, the store is closed last

  kube::Api& api();
  std::string server() const;  // "https://127.0.0.1:7443"
  std::filesystem::path kubeconfig() const;

 private:
  struct Impl;
  explicit Standalone(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::cli
