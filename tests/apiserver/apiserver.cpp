#include "apiserver/apiserver.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "api/crd.h"
#include "api/yaml.h"
#include "base/process.h"
#include "kube/kubeconfig.h"

namespace godwit::apiserver {

namespace fs = std::filesystem;
namespace r = kube::resources;
using namespace std::chrono_literals;

namespace {

std::string environment(const char* name, const std::string& otherwise = {}) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

std::string scriptPath() {
  return environment("GODWIT_APISERVER", std::string(GODWIT_SOURCE_DIR) + "/tests/cluster/apiserver");
}

// As tests/cluster/build leaves it.
fs::path cache() {
  if (const auto given = environment("GODWIT_CLUSTER_CACHE"); !given.empty()) return given;
  return fs::path(environment("XDG_CACHE_HOME", environment("HOME") + "/.cache")) / "godwit-cluster";
}

bool found(const std::string& program) {
  return ::access((environment("KUBEBUILDER_ASSETS", "/nonexistent") + "/" + program).c_str(), X_OK) == 0 ||
         ::access((cache() / "bin" / program).c_str(), X_OK) == 0;
}

std::string crdName(const kube::ResourceType& type) {
  return fmt::format("{}.{}", type.plural, type.group);
}

// A server knows a kind some moments after its CRD is there; nothing tells when.
Result<void> awaitKind(kube::Api& api, const kube::ResourceType& type) {
  Result<kube::List> listed = Error{Errc::Timeout, ""};
  for (int i = 0; i < 600; ++i) {
    listed = api.list(type, {.limit = 1});
    if (listed.ok()) return {};
    std::this_thread::sleep_for(50ms);
  }
  return listed.error();
}

}  // namespace

Duration cpuTimeOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skip;
  long long user = 0, system = 0;
  for (int i = 0; i < 11; ++i) fields >> skip;
  fields >> user >> system;
  return Duration(1s) * (user + system) / ::sysconf(_SC_CLK_TCK);
}

std::string ApiServer::missing() {
  if (::access(scriptPath().c_str(), X_OK) != 0) return scriptPath() + " is not there";
  for (const char* program : {"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "cluster-init"}) {
    if (!found(program))
      return std::string(program) + " is in neither KUBEBUILDER_ASSETS nor " + (cache() / "bin").string() +
             "; tests/cluster/build api makes it";
  }
  return {};
}

Result<std::string> ApiServer::script(const std::vector<std::string>& arguments) const {
  ProcessSpec spec;
  spec.argv = {scriptPath()};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  GODWIT_ASSIGN(const auto ran, runProcess(std::move(spec), {}, 120s));
  if (ran.status.success()) return ran.out;
  return Error{Errc::Internal, scriptPath() + " " + arguments.front() + ": " + ran.err};
}

Result<std::unique_ptr<ApiServer>> ApiServer::start(bool controllers) {
  char name[] = "/tmp/godwit-apiserver-XXXXXX";
  if (!::mkdtemp(name)) return errnoError("mkdtemp");
  auto made = std::unique_ptr<ApiServer>(new ApiServer(name));
  std::vector<std::string> arguments{"up", name};
  if (controllers) arguments.emplace_back("--controllers");
  GODWIT_TRY(made->script(arguments));
  GODWIT_TRY(made->connect());
  return made;
}

ApiServer::~ApiServer() {
  if (const auto down = script({"down", directory_}); !down) fprintf(stderr, "%s\n", down.error().message.c_str());
}

Result<void> ApiServer::connect() {
  GODWIT_ASSIGN(auto access, kube::loadKubeconfig(kubeconfig(), ""));
  GODWIT_ASSIGN(api_, kube::HttpApi::make(std::move(access), clock_));
  return {};
}

Result<void> ApiServer::install(const std::string& manifest, const kube::ResourceType& type) {
  GODWIT_ASSIGN(const auto documents, api::parseYaml(manifest));
  for (const auto& document : documents) {
    const auto made = api_->create(r::kCustomResourceDefinitions, document);
    if (!made && !made.is(Errc::AlreadyExists)) return made.error();
  }
  return awaitKind(*api_, type);
}

Result<void> ApiServer::installKind(const kube::ResourceType& type, const Json& schema) {
  const Json version = {
      {"name", type.version}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", schema}}}};
  // Servers want the annotation where the group is Kubernetes' own.
  const Json approved = {{"api-approved.kubernetes.io", "unapproved, of a test"}};
  GODWIT_TRY(
      api_->create(r::kCustomResourceDefinitions, {{"metadata", {{"name", crdName(type)}, {"annotations", approved}}},
                                                   {"spec",
                                                    {{"group", type.group},
                                                     {"scope", type.namespaced ? "Namespaced" : "Cluster"},
                                                     {"versions", Json::array({version})},
                                                     {"names", {{"plural", type.plural}, {"kind", type.kind}}}}}}));
  return awaitKind(*api_, type);
}

Result<void> ApiServer::removeKind(const kube::ResourceType& type) {
  GODWIT_TRY(api_->remove(r::kCustomResourceDefinitions, {"", crdName(type)}, {}));
  return {};
}

Result<void> ApiServer::installReplications() {
  GODWIT_TRY(install(api::crdYaml(api::Role::Source), r::kReplicationSources));
  return install(api::crdYaml(api::Role::Destination), r::kReplicationDestinations);
}

Result<void> ApiServer::installSnapshots() {
  const auto dir = cache() / "snapshot-crds";
  for (const auto* type : {&r::kVolumeSnapshots, &r::kVolumeSnapshotClasses, &r::kVolumeSnapshotContents}) {
    GODWIT_ASSIGN(const auto text,
                  readFile(dir / ("snapshot.storage.k8s.io_" + std::string(type->plural) + ".yaml"), 4 << 20));
    GODWIT_TRY(install(text, *type));
  }
  return {};
}

Result<std::string> ApiServer::account(const std::string& ns, const std::string& name) {
  GODWIT_ASSIGN(auto path, script({"account", directory_, ns, name}));
  path.erase(path.find_last_not_of('\n') + 1);
  return path;
}

Result<std::string> ApiServer::installRelease() {
  GODWIT_ASSIGN(auto path, script({"release", directory_}));
  GODWIT_TRY(awaitKind(*api_, r::kReplicationSources));
  GODWIT_TRY(awaitKind(*api_, r::kReplicationDestinations));
  path.erase(path.find_last_not_of('\n') + 1);
  return path;
}

Result<void> ApiServer::kill() {
  GODWIT_TRY(script({"kill", directory_}));
  return {};
}

Result<void> ApiServer::restart() {
  GODWIT_TRY(script({"start", directory_}));
  return {};
}

Duration ApiServer::cpuTime() const {
  Duration sum{0};
  for (const char* name : {"etcd", "kube-apiserver"}) {
    pid_t pid = 0;
    std::ifstream(directory_ + "/" + name + ".pid") >> pid;
    sum += cpuTimeOf(pid);
  }
  return sum;
}

}  // namespace godwit::apiserver
