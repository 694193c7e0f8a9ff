#include "standalone/node.h"

#include <signal.h>

#include <filesystem>

#include "api/meta.h"
#include "standalone/objects.h"
#include "standalone/pod_status.h"

namespace godwit::standalone {

namespace r = kube::resources;

Node::Node(Cluster& cluster, Runner& runner, Addresses& addresses, const Clock& clock, kube::Recorder& recorder,
           NodeOptions options)
    : cluster_(cluster),
      runner_(runner),
      addresses_(addresses),
      clock_(clock),
      recorder_(recorder),
      options_(std::move(options)),
      backoffs_(clock) {}

Node::~Node() {
  for (auto& [uid, container] : containers_) {
    if (!container.exit) container.process->kill();
  }
}

Result<void> Node::registerNode() {
  const Json status = {{"conditions", Json::array({{{"type", "Ready"},
                                                    {"status", "True"},
                                                    {"reason", "KubeletReady"},
                                                    {"message", "godwit runs movers here"},
                                                    {"lastTransitionTime", api::formatTime(clock_.now())}}})},
                       {"addresses", Json::array({{{"type", "InternalIP"}, {"address", options_.hostAddress}},
                                                  {{"type", "Hostname"}, {"address", options_.name}}})},
                       {"nodeInfo", {{"kubeletVersion", "godwit-" GODWIT_VERSION}, {"operatingSystem", "linux"}}}};
  const Json node = {{"apiVersion", "v1"},
                     {"kind", "Node"},
                     {"metadata", {{"name", options_.name}, {"labels", {{"kubernetes.io/hostname", options_.name}}}}},
                     {"spec", Json::object()},
                     {"status", status}};
  auto created = cluster_.api().create(r::kNodes, node);
  if (created.ok()) return {};
  if (!created.is(Errc::AlreadyExists)) return std::move(created.error());
  GODWIT_TRY(cluster_.api().patch(r::kNodes, {"", options_.name}, {{"status", status}}, kube::Subresource::Status));
  return {};
}

std::string Node::stateDirOf(const std::string& uid) const {
  return options_.stateDir.empty() ? uid : options_.stateDir + "/" + uid;
}

std::optional<Duration> Node::nextDelay() const {
  constexpr Duration kLogCheck = std::chrono::seconds(30);
  auto delay = backoffs_.nextDelay();
  for (const auto& [uid, container] : containers_) {
    if (container.exit) continue;
    Duration due = kLogCheck;
    if (container.killAt && !container.killed) due = std::max(Duration::zero(), *container.killAt - clock_.now());
    delay = std::min(delay.value_or(due), due);
  }
  return delay;
}

void Node::addFds(std::vector<int>& fds) const {
  for (const auto& [uid, container] : containers_) {
    if (!container.exit && container.process->eventFd() >= 0) fds.push_back(container.process->eventFd());
  }
}

bool Node::step() {
  bool any = reap();
  for (const auto& pod : cluster_.list(r::kPods)) {
    any |= backoffs_.attempt(*pod, [&] { return advance(*pod); });
  }
  rotateLogs();
  return sweep() || any;
}

bool Node::reap() {
  bool any = false;
  for (auto& [uid, container] : containers_) {
    if (container.exit) continue;
    container.exit = container.process->poll();
    any |= container.exit.has_value();
    if (!container.exit && container.killAt && !container.killed && *container.killAt <= clock_.now()) {
      container.process->kill();
      any = container.killed = true;
    }
  }
  return any;
}

Result<bool> Node::advance(const Json& pod) {
  const auto uid = uidOf(pod);
  const auto it = containers_.find(uid);
  auto* container = it == containers_.end() ? nullptr : &it->second;
  if (finished(pod)) {
    if (container && container->exit) containers_.erase(it);
    if (isDeleting(pod) && !awaited(pod)) return end(pod, nullptr);
    return false;
  }
  const auto nodeName = text(pod, "spec", "nodeName");
  if (nodeName.empty()) return isDeleting(pod) ? Result<bool>(false) : schedule(pod);
  if (nodeName != options_.name) return false;
  const bool done = container && container->exit && container->exit->success() && awaited(pod);
  if (isDeleting(pod) && !done) return end(pod, container);
  if (container && container->exit) return reportEnd(pod, *container);
  if (container) {
    if (text(pod, "status", "phase") == "Running") return false;
    return cluster_.patch(r::kPods, pod, {{"status", runningStatus(pod, options_.hostAddress, clock_.now())}},
                          kube::Subresource::Status);
  }
  return start(pod);
}

// What a deleted pod has done counts when it ended well: it stays until its Job says so, as with a cluster's finalizer
// batch.kubernetes.io/job-tracking. Where several successes are wanted the pods themselves are the count, and may go.
bool Node::awaited(const Json& pod) const {
  if (text(pod, "status", "phase") == "Failed") return false;
  const auto meta = api::metaFromJson(pod);
  const auto* owner = meta.controller();
  const auto job = owner ? cluster_.get(r::kJobs, {meta.ns, owner->name}) : nullptr;
  if (!job || uidOf(*job) != owner->uid || isDeleting(*job)) return false;
  return number(1, *job, "spec", "completions") == 1 && !conditionTrue(*job, "Complete") &&
         !conditionTrue(*job, "Failed");
}

Result<std::optional<std::string>> Node::whyUnschedulable(const Json& pod) {
  if (const auto* selector = find(pod, "spec", "nodeSelector"); selector && selector->is_object()) {
    for (const auto& [key, value] : selector->items()) {
      if (key == "kubernetes.io/hostname" && value == options_.name) continue;
      return std::optional<std::string>(
          "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
    }
  }
  const auto ns = text(pod, "metadata", "namespace");
  for (const auto& volume : elements(find(pod, "spec", "volumes"))) {
    const auto claim = text(volume, "persistentVolumeClaim", "claimName");
    if (claim.empty()) continue;
    const auto pvc = cluster_.get(r::kPersistentVolumeClaims, {ns, claim});
    if (!pvc) return std::optional(fmt::format("persistentvolumeclaim \"{}\" not found", claim));
    if (isDeleting(*pvc)) return std::optional(fmt::format("persistentvolumeclaim \"{}\" is being deleted", claim));
    if (text(*pvc, "status", "phase") == "Bound") continue;
    // Tells the storage controller that the first consumer has come (WaitForFirstConsumer).
    GODWIT_TRY(
        cluster_.patch(r::kPersistentVolumeClaims, *pvc,
                       {{"metadata", {{"annotations", {{"volume.kubernetes.io/selected-node", options_.name}}}}}}));
    return std::optional(
        fmt::format("pod has unbound immediate PersistentVolumeClaims: \"{}\"{}", claim, becauseOf(*pvc)));
  }
  return std::optional<std::string>();
}

Result<bool> Node::schedule(const Json& pod) {
  GODWIT_ASSIGN(const auto why, whyUnschedulable(pod));
  if (!why) return cluster_.patch(r::kPods, pod, {{"spec", {{"nodeName", options_.name}}}});
  const auto* before = conditionOf(pod, "PodScheduled");
  if (before && text(*before, "message") == *why) return false;
  recorder_.event(referenceTo(pod), kube::EventType::Warning, "FailedScheduling", *why);
  return cluster_.patch(r::kPods, pod, {{"status", unschedulableStatus(pod, *why, clock_.now())}},
                        kube::Subresource::Status);
}

// A late mirror must neither start a second container nor call a finished pod lost: the server is asked first.
Result<bool> Node::start(const Json& pod) {
  GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kPods, kube::keyOf(pod)));
  if (!current || uidOf(*current) != uidOf(pod) || finished(*current) || isDeleting(*current)) return false;
  if (text(*current, "status", "phase") == "Running") {
    recorder_.event(referenceTo(pod), kube::EventType::Warning, "NodeLost",
                    "the node was restarted while the container ran");
    return cluster_.patch(r::kPods, *current, {{"status", lostStatus(*current, clock_.now())}},
                          kube::Subresource::Status);
  }
  GODWIT_ASSIGN(auto resolved, resolvePod(cluster_, *current, options_.hostAddress));
  if (const auto* waiting = std::get_if<Waiting>(&resolved)) return wait(*current, *waiting);
  auto spec = std::get<ContainerSpec>(std::move(resolved));
  auto addressed = addresses_.prepare(*current, spec);
  if (!addressed.ok()) return wait(*current, {"CreateContainerError", addressed.error().message});
  return launch(*current, std::move(spec));
}

Result<bool> Node::launch(const Json& pod, ContainerSpec spec) {
  const auto uid = uidOf(pod);
  spec.stateDir = stateDirOf(uid);
  auto started = runner_.start(spec);
  if (!started.ok()) {
    GODWIT_TRY(wait(pod, {"RunContainerError", started.error().message}));
    return std::move(started.error());
  }
  Container container;
  container.process = *std::move(started);
  container.pod = kube::keyOf(pod);
  container.stateDir = spec.stateDir;
  containers_.emplace(uid, std::move(container));
  recorder_.event(referenceTo(pod), kube::EventType::Normal, "Started", "Started container");
  return cluster_.patch(r::kPods, pod, {{"status", runningStatus(pod, options_.hostAddress, clock_.now())}},
                        kube::Subresource::Status);
}

// What is waited for may live in kinds that are not mirrored (Secrets): looked at again after the back-off.
Result<bool> Node::wait(const Json& pod, const Waiting& waiting) {
  const auto& statuses = elements(find(pod, "status", "containerStatuses"));
  const auto* before = statuses.empty() ? nullptr : find(statuses.front(), "state", "waiting");
  if (!before || text(*before, "message") != waiting.message) {
    recorder_.event(referenceTo(pod), kube::EventType::Warning, "Failed", "Error: " + waiting.message);
    GODWIT_TRY(cluster_.patch(r::kPods, pod, {{"status", waitingStatus(pod, waiting, clock_.now())}},
                              kube::Subresource::Status));
  }
  return Error{Errc::Unavailable, waiting.message};
}

Result<bool> Node::reportEnd(const Json& pod, Container& container) {
  if (stopping_ && !container.exit->success()) return end(pod, nullptr);  // drained: its Job has not failed
  auto message = runner_.terminationMessage(container.stateDir);
  const auto& containers = elements(find(pod, "spec", "containers"));
  if (message.empty() && !container.exit->success() && !containers.empty() &&
      text(containers.front(), "terminationMessagePolicy") == "FallbackToLogsOnError") {
    constexpr std::size_t kMost = 2048;  // and 80 lines, as a kubelet
    kube::LogOptions options;
    options.tailLines = 80;
    const auto tail = logs(kube::keyOf(pod), options);
    if (tail.ok()) message = tail->substr(tail->size() - std::min(tail->size(), kMost));
  }
  return cluster_.patch(r::kPods, pod, {{"status", endedStatus(pod, *container.exit, message, clock_.now())}},
                        kube::Subresource::Status);
}

// A deleted pod: TERM, after the grace period KILL, and when its container has ended the object goes.
Result<bool> Node::end(const Json& pod, Container* container) {
  if (container && !container->exit) {
    if (container->killAt) return false;
    const auto deadline = timeAt(find(pod, "metadata", "deletionTimestamp"));
    container->killAt = deadline.value_or(clock_.now());
    container->process->signal(SIGTERM);
    return true;
  }
  kube::DeleteOptions options;
  options.uid = uidOf(pod);
  options.gracePeriodSeconds = 0;
  const auto removed = cluster_.api().remove(r::kPods, kube::keyOf(pod), options);
  if (removed.is(Errc::NotFound)) return false;  // only the mirror does not know yet
  GODWIT_TRY(removed);
  return true;
}

// Containers and state directories whose pod is gone.
bool Node::sweep() {
  std::set<std::string> alive;
  for (const auto& pod : cluster_.list(r::kPods)) alive.insert(uidOf(*pod));
  bool any = false;
  for (auto it = containers_.begin(); it != containers_.end();) {
    auto& container = it->second;
    if (alive.contains(it->first)) {
      ++it;
      continue;
    }
    if (!container.exit) {
      if (!std::exchange(container.killed, true)) {
        container.process->kill();
        any = true;
      }
      ++it;
      continue;
    }
    runner_.forget(container.stateDir);
    it = containers_.erase(it);
    any = true;
  }
  if (options_.stateDir.empty()) return any;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(options_.stateDir, ignored)) {
    const auto uid = entry.path().filename().string();
    if (!alive.contains(uid) && !containers_.contains(uid)) runner_.forget(entry.path().string());
  }
  return any;
}

void Node::terminateAll() {
  stopping_ = true;
  for (auto& [uid, container] : containers_) {
    if (!container.exit) container.process->signal(SIGTERM);
  }
}

}  // namespace godwit::standalone
