#include "cli/client.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <vector>

#include "cli/data_dir.h"
#include "kube/http_api.h"
#include "kube/kubeconfig.h"

namespace godwit::cli {

namespace fs = std::filesystem;

namespace {

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

// An explicit choice must exist; a default place may be empty.
Result<fs::path> findKubeconfig(const std::string& chosen) {
  if (!chosen.empty()) return fs::path(chosen);
  if (const char* named = environment("KUBECONFIG")) return fs::path(named);
  std::vector<fs::path> places{defaultDataDir() / "kubeconfig"};
  if (const char* home = environment("HOME")) places.push_back(fs::path(home) / ".kube/config");
  std::string looked;
  for (const auto& place : places) {
    std::error_code failed;
    if (fs::exists(place, failed)) return place;
    looked += (looked.empty() ? "" : ", ") + place.string();
  }
  return Error{
      Errc::NotFound,
      fmt::format("no kubeconfig: neither --kubeconfig nor KUBECONFIG is given, and there is none at {}", looked)};
}

}  // namespace

void addClientOptions(CLI::App& command, ClientOptions& options) {
  command.add_option("--kubeconfig", options.kubeconfig,
                     "Default: $KUBECONFIG, the standalone server's on this machine, ~/.kube/config");
  command.add_option("--context", options.context, "Of the kubeconfig; default: its current one");
  command.add_option("-n,--namespace", options.ns, "Default: the context's");
}

Result<Client> connect(const ClientOptions& options) {
  static const SystemClock clock;
  GODWIT_ASSIGN(const auto path, findKubeconfig(options.kubeconfig));
  GODWIT_ASSIGN(auto access, kube::loadKubeconfig(path, options.context));
  auto ns = !options.ns.empty() ? options.ns : !access.ns.empty() ? access.ns : "default";
  GODWIT_ASSIGN(auto api, kube::HttpApi::make(std::move(access), clock));
  return Client{std::move(api), std::move(ns)};
}

}  // namespace godwit::cli
