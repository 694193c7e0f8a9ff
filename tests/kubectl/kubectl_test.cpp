// What people type: an unmodified kubectl against the REST face, over TLS with a token. GODWIT_KUBECTL names another
// one than that of the PATH: versions differ in what they ask of a server (1.27 and 1.28 want OpenAPI v2, 1.32 and
// newer send protobuf).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "api/core.h"
#include "base/fd.h"
#include "base/process.h"
#include "http/server.h"
#include "standalone/admission.h"
#include "standalone/rest_api.h"

namespace godwit::standalone {
namespace {

namespace fs = std::filesystem;
namespace r = kube::resources;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kManifests = R"(
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, labels: {app: demo}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: copy}
spec:
  sourcePVC: data
  trigger: {manual: first}
  rsync: {copyMethod: Clone, address: 192.0.2.1, sshKeys: keys}
---
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: x, command: ["true"]}]
)";

const char* program() {
  const char* chosen = std::getenv("GODWIT_KUBECTL");
  return chosen && *chosen ? chosen : "kubectl";
}

// A kubectl that goes on, and the lines it prints.
class Running {
 public:
  explicit Running(ProcessSpec spec) {
    auto pipe = makePipe();
    spec.fds = {{1, pipe->write.get()}, {2, pipe->write.get()}};
    spec.dieWithParent = true;
    auto process = Process::spawn(spec);
    EXPECT_TRUE(process.ok());
    if (process) process_.emplace(std::move(*process));
    out_ = std::move(pipe->read);
  }
  ~Running() {
    if (!process_ || !process_->kill(SIGKILL).ok()) return;
    (void)process_->wait(kPatience);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // The next one; a failure of the test when none comes.
  std::string line() {
    while (text_.find('\n') == std::string::npos) {
      pollfd wait{out_.get(), POLLIN, 0};
      char buffer[4096];
      const auto got = ::poll(&wait, 1, 60'000) > 0 ? ::read(out_.get(), buffer, sizeof buffer) : 0;
      if (got <= 0) {
        ADD_FAILURE() << "no line, only: " << text_;
        return {};
      }
      text_.append(buffer, static_cast<std::size_t>(got));
    }
    const auto end = text_.find('\n');
    auto out = text_.substr(0, end);
    text_.erase(0, end + 1);
    return out;
  }
  bool succeeds() {
    const auto status = process_->wait(kPatience);
    return status.ok() && *status && (*status)->success();
  }

 private:
  static constexpr Duration kPatience = std::chrono::seconds(60);
  std::optional<Process> process_;
  UniqueFd out_;
  std::string text_;
};

class KubectlTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!runProcess({.argv = {program(), "version", "--client"}}).ok()) {
      GTEST_SKIP()
          << "SKIPPED: kubectl is not installed: nothing that people type was tested; see the README for where "
             "to get it";
    }
    std::string name = fs::temp_directory_path() / "godwit-kubectl-XXXXXX";
    ASSERT_TRUE(::mkdtemp(name.data()));
    dir = name;
    store = std::move(*Store::open({}, clock, random));
    installAdmission(*store);
    ASSERT_TRUE(seedCustomResourceDefinitions(*store).ok());
    store->setLogSource([this](const auto&, const auto&) {
      const std::scoped_lock lock(logging);
      return Result<std::string>(log);
    });
    collector = std::jthread([this](std::stop_token stop) { store->collectGarbageUntil(stop); });
    serve();
  }
  void TearDown() override {
    collector = {};
    server.reset();
    if (!dir.empty()) fs::remove_all(dir);
  }

  void serve() {
    api = std::make_unique<RestApi>(*store, clock, RestOptions{"the-token"});
    const auto day = std::chrono::hours(24);
    const auto authority = http::makeAuthority("test", clock.now(), day);
    ASSERT_TRUE(authority.ok());
    http::ServerOptions options;
    options.tls = *http::issue(*authority, {"godwit", "", {"127.0.0.1"}, false}, clock.now(), day);
    server =
        std::move(*http::Server::start(options, [this](const auto& request, auto& out) { api->serve(request, out); }));
    const Json cluster{{"server", fmt::format("https://127.0.0.1:{}", server->port())},
                       {"certificate-authority-data", api::base64Encode(authority->certificate)}};
    const Json config{{"apiVersion", "v1"},
                      {"kind", "Config"},
                      {"current-context", "t"},
                      {"clusters", {{{"name", "t"}, {"cluster", cluster}}}},
                      {"users", {{{"name", "t"}, {"user", {{"token", "the-token"}}}}}},
                      {"contexts", {{{"name", "t"}, {"context", {{"cluster", "t"}, {"user", "t"}}}}}}};
    ASSERT_TRUE(writeFileAtomic(dir / "kubeconfig", dumpJson(config), 0600).ok());
  }

  ProcessSpec spec(const std::vector<std::string>& arguments) const {
    ProcessSpec out{.argv = {program(), "--kubeconfig", dir / "kubeconfig", "--cache-dir", dir / "cache"}};
    out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
    return out;
  }
  RunOutput run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    auto output = runProcess(spec(arguments), input, std::chrono::seconds(120));
    EXPECT_TRUE(output.ok());
    return output.ok() ? *output : RunOutput{};
  }
  // What it printed; the test fails when kubectl did.
  std::string kubectl(std::vector<std::string> arguments, const std::string& input = {}) {
    const auto output = run(arguments, input);
    std::string line;
    for (const auto& argument : arguments) line += " " + argument;
    EXPECT_TRUE(output.status.success()) << "kubectl" << line << "\n" << output.out << output.err;
    return output.out + output.err;
  }
  void status(const kube::ResourceType& type, const std::string& name, const Json& fields) {
    const auto stored = store->patch(type, {"default", name}, {{"status", fields}}, kube::Subresource::Status);
    EXPECT_TRUE(stored.ok()) << stored.error().message;
  }
  void makePod() {
    const Json pod{{"metadata", {{"name", "p"}, {"namespace", "default"}}},
                   {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
    ASSERT_TRUE(store->create(r::kPods, pod).ok());
  }
  std::string refusal(std::vector<std::string> arguments, const std::string& input = {}) {
    const auto output = run(arguments, input);
    EXPECT_FALSE(output.status.success()) << output.out;
    return output.err;
  }

  SystemClock clock;
  Random random;
  std::mutex logging;
  std::string log = "first line\n";
  fs::path dir;
  std::unique_ptr<Store> store;
  std::unique_ptr<RestApi> api;
  std::unique_ptr<http::Server> server;
  std::jthread collector;
};

TEST_F(KubectlTest, CreatesAppliesAndShows) {
  EXPECT_THAT(kubectl({"apply", "-f", "-"}, kManifests), HasSubstr("replicationsource.volsync.backube/copy created"));
  EXPECT_THAT(kubectl({"apply", "-f", "-"}, kManifests), AllOf(HasSubstr("unchanged"), Not(HasSubstr("configured"))));
  EXPECT_THAT(kubectl({"get", "pvc,jobs,replicationsources"}),
              AllOf(HasSubstr("ACCESS MODES"), HasSubstr("COMPLETIONS"), HasSubstr("NEXT SYNC")));
  EXPECT_THAT(kubectl({"get", "pvc", "-A", "-l", "app=demo", "-o", "wide"}),
              AllOf(HasSubstr("VOLUMEMODE"), HasSubstr("default")));
  EXPECT_THAT(kubectl({"get", "pvc", "-l", "app=other"}), HasSubstr("No resources found"));
  EXPECT_EQ(kubectl({"get", "replicationsource", "copy", "-o", "jsonpath={.spec.rsync.copyMethod}"}), "Clone");
  EXPECT_THAT(kubectl({"get", "job", "work", "-o", "yaml"}), HasSubstr("restartPolicy: Never"));
  EXPECT_THAT(kubectl({"create", "secret", "generic", "s", "--from-literal=k=v"}), HasSubstr("created"));
  EXPECT_THAT(kubectl({"api-resources"}), AllOf(HasSubstr("pvc"), HasSubstr("ReplicationDestination")));
}

TEST_F(KubectlTest, EditsInEveryWay) {
  kubectl({"apply", "-f", "-"}, kManifests);
  kubectl({"label", "pvc", "data", "tier=gold"});
  kubectl({"annotate", "pvc", "data", "note=hello"});
  kubectl({"patch", "replicationsource", "copy", "--type=merge", "-p", R"({"spec":{"trigger":{"manual":"second"}}})"});
  kubectl({"patch", "replicationsource", "copy", "--type=json", "-p",
           R"([{"op":"add","path":"/spec/paused","value":true}])"});
  kubectl({"patch", "job", "work", "-p", R"({"spec":{"parallelism":0}})"});  // strategic
  EXPECT_EQ(kubectl({"get", "pvc", "data", "-o", "jsonpath={.metadata.labels.tier}{.metadata.annotations.note}"}),
            "goldhello");
  EXPECT_EQ(kubectl({"get", "replicationsource", "copy", "-o", "jsonpath={.spec.trigger.manual}{.spec.paused}"}),
            "secondtrue");
  EXPECT_EQ(kubectl({"get", "job", "work", "-o", "jsonpath={.spec.parallelism}"}), "0");
  EXPECT_THAT(kubectl({"patch", "pvc", "data", "--type=merge", "--dry-run=server", "-p",
                       R"({"metadata":{"labels":{"x":"y"}}})"}),
              HasSubstr("patched"));
  EXPECT_THAT(kubectl({"get", "pvc", "data", "--show-labels"}), Not(HasSubstr("x=y")));
}

TEST_F(KubectlTest, CreatesWithoutManifests) {
  kubectl({"create", "namespace", "n"});
  kubectl({"create", "namespace", "dry", "--dry-run=server"});
  EXPECT_THAT(refusal({"get", "namespace", "dry"}), HasSubstr("not found"));
  kubectl({"create", "secret", "generic", "s", "--from-literal=k=v"});
  EXPECT_EQ(kubectl({"get", "secret", "s", "-o", "jsonpath={.data.k}{.type}"}), "dg==Opaque");
  kubectl({"create", "configmap", "c", "--from-literal=k=v", "--from-literal=empty="});
  EXPECT_EQ(kubectl({"get", "configmap", "c", "-o", "jsonpath={.data}"}), R"({"empty":"","k":"v"})");
  kubectl({"create", "serviceaccount", "a"});
  kubectl({"create", "job", "j", "--image=x", "--", "sleep", "1"});
  EXPECT_EQ(kubectl({"get", "job", "j", "-o", "jsonpath={.spec.template.spec.containers[0].command}"}),
            R"(["sleep","1"])");
  kubectl({"create", "service", "clusterip", "s", "--tcp=80:8080"});
  EXPECT_EQ(kubectl({"get", "service", "s", "-o", "jsonpath={.spec.ports[0].targetPort}"}), "8080");
}

TEST_F(KubectlTest, EditsInAnEditor) {
  kubectl({"create", "-f", "-"}, kManifests);
  ::setenv("KUBE_EDITOR", "sed -i -e s/first/second/ -e s/demo/show/", 1);
  kubectl({"edit", "replicationsource", "copy"});
  kubectl({"edit", "pvc", "data"});
  ::unsetenv("KUBE_EDITOR");
  EXPECT_EQ(kubectl({"get", "replicationsource", "copy", "-o", "jsonpath={.spec.trigger.manual}"}), "second");
  EXPECT_EQ(kubectl({"get", "pvc", "data", "-o", "jsonpath={.metadata.labels.app}"}), "show");
  EXPECT_THAT(run({"diff", "-f", "-"}, kManifests).out, HasSubstr("+    app: demo"));
}

TEST_F(KubectlTest, ExplainsAndDescribes) {
  kubectl({"apply", "-f", "-"}, kManifests);
  EXPECT_THAT(kubectl({"explain", "replicationsource.spec.rsync"}), HasSubstr("copyMethod"));
  EXPECT_THAT(kubectl({"explain", "pvc.spec"}), HasSubstr("accessModes"));
  EXPECT_THAT(kubectl({"describe", "pvc", "data"}), HasSubstr("Access Modes"));
  EXPECT_THAT(kubectl({"describe", "job", "work"}), HasSubstr("Parallelism"));
  EXPECT_THAT(kubectl({"describe", "replicationsource", "copy"}), HasSubstr("Copy Method"));
  EXPECT_THAT(kubectl({"describe", "namespace", "default"}), HasSubstr("Active"));
  EXPECT_THAT(kubectl({"auth", "can-i", "create", "pods"}), HasSubstr("yes"));
  EXPECT_THAT(kubectl({"auth", "can-i", "--list"}), HasSubstr("*.*"));
}

TEST_F(KubectlTest, WaitsAndDeletes) {
  kubectl({"apply", "-f", "-"}, kManifests);
  std::thread controller([&] {
    status(r::kJobs, "work", {{"conditions", {{{"type", "Complete"}, {"status", "True"}}}}});
    status(r::kReplicationSources, "copy", {{"lastManualSync", "first"}});
  });
  kubectl({"wait", "--for=condition=complete", "job/work", "--timeout=60s"});
  kubectl({"wait", "--for=jsonpath={.status.lastManualSync}=first", "replicationsource/copy", "--timeout=60s"});
  controller.join();
  EXPECT_THAT(kubectl({"delete", "job", "work", "--cascade=foreground", "--timeout=60s"}), HasSubstr("deleted"));
  EXPECT_THAT(kubectl({"delete", "pvc,replicationsource", "--all", "--timeout=60s"}), HasSubstr("deleted"));
  kubectl({"create", "namespace", "short"});
  kubectl({"delete", "namespace", "short", "--timeout=60s"});
  EXPECT_THAT(refusal({"get", "namespace", "short"}), HasSubstr("not found"));
}

TEST_F(KubectlTest, WatchesWhatChanges) {
  kubectl({"apply", "-f", "-"}, kManifests);
  Running watch(spec({"get", "replicationsources", "-w"}));
  EXPECT_THAT(watch.line(), HasSubstr("LAST SYNC"));
  EXPECT_THAT(watch.line(), AllOf(HasSubstr("copy"), Not(HasSubstr("2026-01-02T03:04:05Z"))));
  status(r::kReplicationSources, "copy", {{"lastSyncTime", "2026-01-02T03:04:05Z"}});
  EXPECT_THAT(watch.line(), AllOf(HasSubstr("copy"), HasSubstr("2026-01-02T03:04:05Z")));
  kubectl({"delete", "replicationsource", "copy"});
  EXPECT_THAT(watch.line(), HasSubstr("copy"));
  kubectl({"apply", "-f", "-"}, kManifests);
  EXPECT_THAT(watch.line(), AllOf(HasSubstr("copy"), Not(HasSubstr("2026-01-02T03:04:05Z"))));
}

TEST_F(KubectlTest, FollowsTheLogOfAPodThatStillRuns) {
  makePod();
  status(r::kPods, "p", {{"phase", "Running"}});
  Running follow(spec({"logs", "-f", "p"}));
  EXPECT_EQ(follow.line(), "first line");
  {
    const std::scoped_lock lock(logging);
    log += "second line\n";
  }
  EXPECT_EQ(follow.line(), "second line");
  status(r::kPods, "p", {{"phase", "Succeeded"}});
  EXPECT_TRUE(follow.succeeds());
}

TEST_F(KubectlTest, FollowsLogs) {
  makePod();
  EXPECT_EQ(kubectl({"logs", "p"}), "first line\n");
  status(r::kPods, "p", {{"phase", "Succeeded"}});
  EXPECT_EQ(kubectl({"logs", "-f", "p"}), "first line\n");
}

TEST_F(KubectlTest, RefusesClearly) {
  EXPECT_THAT(refusal({"get", "secret", "absent"}), HasSubstr("secrets \"absent\" not found"));
  EXPECT_THAT(refusal({"create", "namespace", "Upper"}), HasSubstr("metadata.name"));
  const std::string odd = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndatta: {a: b}\n";
  EXPECT_THAT(refusal({"apply", "-f", "-"}, odd), HasSubstr("unknown field \"datta\""));
  EXPECT_THAT(kubectl({"apply", "--validate=warn", "-f", "-"}, odd), HasSubstr("Warning: unknown field \"datta\""));
  EXPECT_THAT(refusal({"apply", "--server-side", "-f", "-"}, kManifests), Not(HasSubstr("serverside-applied")));
  EXPECT_THAT(refusal({"--token=wrong", "get", "ns"}), HasSubstr("Unauthorized"));
}

}  // namespace
}  // namespace godwit::standalone
