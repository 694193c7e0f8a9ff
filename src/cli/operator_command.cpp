#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/controller_options.h"
#include "cli/frugal.h"
#include "cli/operator.h"
#include "cli/signals.h"

namespace godwit::cli {

namespace {

struct CommandLine {
  OperatorOptions options;
  std::string probes = ":8081", metrics = ":8443";
};

// As operators that are built on operator-sdk: a comma-separated list; empty means all.
std::vector<std::string> watchedNamespaces() {
  std::vector<std::string> out;
  const char* value = std::getenv("WATCH_NAMESPACE");
  std::istringstream text(value ? value : "");
  for (std::string name; std::getline(text, name, ',');) {
    if (!name.empty()) out.push_back(name);
  }
  return out;
}

int serve(CommandLine& line) {
  frugalHeap();
  auto& endpoints = line.options.endpoints;
  for (auto& [text, at] : {std::pair(&line.probes, &endpoints.probes), std::pair(&line.metrics, &endpoints.metrics)}) {
    auto parsed = parseBindAddress(*text);
    if (!parsed) return fail(parsed.error()), kUsage;
    *at = *std::move(parsed);
  }
  if (line.options.controller.namespaces.empty()) line.options.controller.namespaces = watchedNamespaces();
  const auto stop = StopSignal::install();
  if (!stop) return fail(stop.error());
  auto made = Operator::start(line.options);
  if (!made) return fail(made.error());
  log::info("operator", "godwit {}: probes on port {}, metrics on port {}", GODWIT_VERSION,
            (*made)->endpoints().probePort(), (*made)->endpoints().metricsPort());
  (*made)->run(stop->token());
  log::info("operator", "stopped");
  return kDone;
}

void addLeaderOptions(CLI::App& command, OperatorOptions& options) {
  command.add_flag("--leader-elect,!--no-leader-elect", options.leaderElect,
                   "One replica works, the others wait; default: yes");
  command.add_option("--leader-election-namespace", options.leaderNamespace,
                     "Of the Lease; default: $POD_NAMESPACE, the service account's");
  command.add_option("--leader-election-id", options.leaseName, "Name of the Lease")->capture_default_str();
}

void addEndpointOptions(CLI::App& command, CommandLine& line) {
  auto& endpoints = line.options.endpoints;
  command.add_option("--health-probe-bind-address", line.probes, "/healthz and /readyz; 0: none")
      ->capture_default_str();
  command.add_option("--metrics-bind-address", line.metrics, "/metrics; 0: none")->capture_default_str();
  command.add_flag(
      "--metrics-secure,!--no-metrics-secure", endpoints.metricsSecure,
      "TLS, and only for who may get the nonResourceURL /metrics; default: yes. =false: plain and for everybody");
  command.add_option("--metrics-cert-path", endpoints.certificateDir,
                     "Directory with tls.crt and tls.key; default: self-signed");
}

void addWorkOptions(CLI::App& command, OperatorOptions& options) {
  auto& config = options.controller;
  command
      .add_option("-n,--namespace,--watch-namespace", config.namespaces,
                  "Serve only this one (repeatable); default: $WATCH_NAMESPACE, else all")
      ->delimiter(',');
  command.add_option("--mover-image", config.moverImage, "Image of the mover's pods")
      ->envname("MOVER_IMAGE")
      ->capture_default_str();
  command.add_option("--mover-image-pull-policy", config.moverImagePullPolicy, "When nodes fetch that image")
      ->check(CLI::IsMember({"", "Always", "IfNotPresent", "Never"}));
  command
      .add_option("--image-pull-secret", config.imagePullSecrets,
                  "Name of a Secret in the mover's namespace (repeatable)")
      ->delimiter(',');
  command.add_flag("--populator,!--no-populator", config.populator,
                   "Fill claims whose dataSourceRef names a ReplicationDestination; default: yes");
  using OpenShift = OperatorOptions::OpenShift;
  addChoice<OpenShift>(command, "--openshift", options.openshift,
                       {{"auto", OpenShift::Auto}, {"true", OpenShift::Yes}, {"false", OpenShift::No}},
                       "Whether movers' accounts need SecurityContextConstraints; auto: where the cluster has them");
  command.add_option("--openshift-scc", options.securityConstraints, "Those that movers may use")
      ->capture_default_str();
  command.add_option("--workers", config.workers, "Objects worked on at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      .add_option("--qps", options.requestsPerSecond, "Requests a second, watches and lease not counted; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--burst", options.burst, "Requests at once before --qps counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  addControllerOptions(command, config);
}

}  // namespace

void addOperator(CLI::App& root, int& exit) {
  auto line = std::make_shared<CommandLine>();
  line->options.controller.workers = 8;
  auto* command =
      root.add_subcommand("operator", "Serve ReplicationSources and ReplicationDestinations of a Kubernetes cluster");
  command->add_option("--kubeconfig", line->options.kubeconfig,
                      "Default: the pod's service account, $KUBECONFIG, ~/.kube/config");
  command->add_option("--context", line->options.context, "Of the kubeconfig; default: its current one");
  addWorkOptions(*command, line->options);
  addLeaderOptions(*command, line->options);
  addEndpointOptions(*command, *line);
  command->callback([line, &exit] { exit = serve(*line); });
}

}  // namespace godwit::cli
