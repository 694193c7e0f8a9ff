#include "standalone/job_controller.h"

#include "api/meta.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

namespace r = kube::resources;

// As Kubernetes: 10 s after the first failure, doubling, at most 6 min.
Duration delayAfter(std::int64_t failures) {
  constexpr Duration kFirst = std::chrono::seconds(10), kMost = std::chrono::minutes(6);
  return failures > 6 ? kMost : std::min(kFirst * (std::int64_t{1} << (failures - 1)), kMost);
}

TimePoint endOf(const Json& pod, TimePoint otherwise) {
  for (const auto& status : elements(find(pod, "status", "containerStatuses"))) {
    if (const auto at = timeAt(find(status, "state", "terminated", "finishedAt"))) return *at;
  }
  return otherwise;
}

Json podFor(const Json& job) {
  const auto name = text(job, "metadata", "name"), uid = uidOf(job);
  const auto* given = find(job, "spec", "template");
  Json pod = given && given->is_object() ? *given : Json::object();
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  Json& meta = pod["metadata"];
  if (!meta.is_object()) meta = Json::object();
  meta.erase("name");
  meta["namespace"] = text(job, "metadata", "namespace");
  meta["generateName"] = name + "-";
  meta["labels"]["batch.kubernetes.io/job-name"] = name;
  meta["labels"]["batch.kubernetes.io/controller-uid"] = uid;
  meta["labels"]["job-name"] = name;
  meta["labels"]["controller-uid"] = uid;
  meta["ownerReferences"] = Json::array({{{"apiVersion", "batch/v1"},
                                          {"kind", "Job"},
                                          {"name", name},
                                          {"uid", uid},
                                          {"controller", true},
                                          {"blockOwnerDeletion", true}}});
  return pod;
}

bool mayRun(const Json& job) {
  return !truth(job, "spec", "suspend");
}

}  // namespace

void JobController::dueAt(TimePoint when) {
  due_ = std::min(due_.value_or(when), when);
}

std::optional<Duration> JobController::nextDelay() const {
  auto delay = backoffs_.nextDelay();
  if (due_) {
    const auto left = std::max(Duration::zero(), *due_ - clock_.now());
    delay = std::min(delay.value_or(left), left);
  }
  return delay;
}

bool JobController::step() {
  bool any = false;
  due_.reset();
  for (const auto& job : cluster_.list(r::kJobs)) {
    if (isDeleting(*job)) continue;
    const bool over = conditionTrue(*job, "Complete") || conditionTrue(*job, "Failed");
    any |= backoffs_.attempt(*job, [&] { return over ? expire(*job) : reconcile(*job); });
  }
  return any;
}

// When `seconds` after `since` are over; nullopt where either is missing.
std::optional<TimePoint> JobController::deadline(const Json* since, const Json* seconds) {
  const auto from = timeAt(since);
  if (!from || !seconds || !seconds->is_number_integer()) return std::nullopt;
  const auto at = *from + std::chrono::seconds(seconds->get<std::int64_t>());
  if (at > clock_.now()) dueAt(at);
  return at;
}

// ttlSecondsAfterFinished.
Result<bool> JobController::expire(const Json& job) {
  const auto* end = conditionOf(job, conditionTrue(job, "Complete") ? "Complete" : "Failed");
  const auto at = deadline(find(*end, "lastTransitionTime"), find(job, "spec", "ttlSecondsAfterFinished"));
  return at && *at <= clock_.now() ? cluster_.remove(r::kJobs, job) : Result<bool>(false);
}

Result<bool> JobController::reconcile(const Json& job) {
  Pods pods;
  for (const auto& pod : cluster_.list(r::kPods)) {
    if (!ownedBy(*pod, uidOf(job))) continue;
    const auto phase = text(*pod, "status", "phase");
    if (phase == "Succeeded") ++pods.succeeded;
    if (phase == "Failed") {
      ++pods.failed;
      const auto end = endOf(*pod, clock_.now());
      pods.lastFailure = std::max(pods.lastFailure.value_or(end), end);
    }
    if (!finished(*pod) && !isDeleting(*pod)) pods.active.push_back(pod);
  }
  const auto limit = number(6, job, "spec", "backoffLimit");
  if (pods.failed > limit) {
    return finish(job, pods, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const auto last = deadline(find(job, "status", "startTime"), find(job, "spec", "activeDeadlineSeconds"));
  if (mayRun(job) && last && *last <= clock_.now() && number(1, job, "spec", "completions") > pods.succeeded) {
    return finish(job, pods, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline");
  }
  const auto parallelism = mayRun(job) ? number(1, job, "spec", "parallelism") : 0;
  const auto left = number(1, job, "spec", "completions") - pods.succeeded;
  if (left <= 0) return finish(job, pods, "Complete", "", "");
  const auto wanted = std::clamp<std::int64_t>(std::min(parallelism, left), 0, 100);
  const auto active = static_cast<std::int64_t>(pods.active.size());
  bool wrote = false;
  if (active > wanted) {
    GODWIT_ASSIGN(wrote, removePods(job, pods.active, static_cast<std::size_t>(active - wanted)));
  } else if (active < wanted) {
    const auto due = pods.failed > 0 ? *pods.lastFailure + delayAfter(pods.failed) : clock_.now();
    if (due > clock_.now()) {
      dueAt(due);
    } else {
      GODWIT_ASSIGN(wrote, createPod(job));
      if (active + 1 < wanted) dueAt(clock_.now());
    }
  }
  GODWIT_ASSIGN(const bool reported, report(job));
  return wrote || reported;
}

// The mirror may be late, and one pod too many would write to a volume beside another: the server is asked.
Result<bool> JobController::createPod(const Json& job) {
  kube::ListOptions options;
  options.ns = text(job, "metadata", "namespace");
  options.labelSelector = "batch.kubernetes.io/controller-uid=" + uidOf(job);
  GODWIT_ASSIGN(const auto existing, cluster_.api().list(r::kPods, options));
  for (const auto& pod : existing.items) {
    const auto seen = cluster_.get(r::kPods, kube::keyOf(pod));
    if (!seen || *seen != pod) return false;
    const bool ending = isDeleting(pod) && !finished(pod);
    if (ending && text(job, "spec", "podReplacementPolicy") == "Failed") return false;
  }
  GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kJobs, kube::keyOf(job)));
  if (!current || uidOf(*current) != uidOf(job) || isDeleting(*current)) return false;
  GODWIT_ASSIGN(const auto pod, cluster_.create(r::kPods, podFor(job)));
  recorder_.event(referenceTo(job), kube::EventType::Normal, "SuccessfulCreate",
                  "Created pod: " + kube::keyOf(pod).name);
  return true;
}

Result<bool> JobController::removePods(const Json& job, const std::vector<Object>& pods, std::size_t count) {
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    GODWIT_ASSIGN(const bool removed, cluster_.remove(r::kPods, *pods[i]));
    if (!removed) continue;
    any = true;
    recorder_.event(referenceTo(job), kube::EventType::Normal, "SuccessfulDelete",
                    "Deleted pod: " + kube::keyOf(*pods[i]).name);
  }
  return any;
}

Result<bool> JobController::finish(const Json& job, const Pods& pods, const char* type, const char* reason,
                                   const std::string& message) {
  if (!pods.active.empty()) {
    GODWIT_TRY(removePods(job, pods.active, pods.active.size()));
  }
  const auto now = clock_.now();
  Json condition = {{"type", type}, {"status", "True"}, {"lastProbeTime", api::formatTime(now)}};
  if (*reason) condition["reason"] = reason;
  if (!message.empty()) condition["message"] = message;
  Json status = {{"active", nullptr}, {"ready", 0}, {"conditions", withCondition(job, condition, now)}};
  if (pods.succeeded > 0) status["succeeded"] = pods.succeeded;
  if (pods.failed > 0) status["failed"] = pods.failed;
  const bool complete = std::string_view(type) == "Complete";
  if (complete) status["completionTime"] = api::formatTime(now);
  if (text(job, "status", "startTime").empty()) status["startTime"] = api::formatTime(now);
  GODWIT_ASSIGN(const bool wrote, cluster_.patch(r::kJobs, job, {{"status", status}}, kube::Subresource::Status));
  if (complete) recorder_.event(referenceTo(job), kube::EventType::Normal, "Completed", "Job completed");
  if (!complete) recorder_.event(referenceTo(job), kube::EventType::Warning, reason, message);
  return wrote;
}

Result<bool> JobController::report(const Json& job) {
  // Counted anew, with what has just been created or removed.
  std::int64_t active = 0, ready = 0, succeeded = 0, failed = 0;
  for (const auto& pod : cluster_.list(r::kPods)) {
    if (!ownedBy(*pod, uidOf(job))) continue;
    const auto phase = text(*pod, "status", "phase");
    succeeded += phase == "Succeeded";
    failed += phase == "Failed";
    const bool running = !finished(*pod) && !isDeleting(*pod);
    active += running;
    ready += running && phase == "Running";
  }
  const auto orNull = [](std::int64_t n) { return n > 0 ? Json(n) : Json(); };
  Json status = {
      {"active", orNull(active)}, {"ready", ready}, {"succeeded", orNull(succeeded)}, {"failed", orNull(failed)}};
  if (text(job, "status", "startTime").empty()) status["startTime"] = api::formatTime(clock_.now());
  return cluster_.patch(r::kJobs, job, {{"status", status}}, kube::Subresource::Status);
}

}  // namespace godwit::standalone
