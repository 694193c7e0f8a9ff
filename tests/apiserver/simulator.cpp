#include "apiserver/simulator.h"

#include "api/mover_result.h"
#include "base/log.h"
#include "kube/resource.h"

namespace godwit::apiserver {

namespace r = kube::resources;
using namespace std::chrono_literals;

namespace {

constexpr const char* kOurs = "app.kubernetes.io/created-by=volsync";
constexpr int kWorkers = 4;

std::string now() {
  return api::formatTime(SystemClock().now());
}

std::string result(bool success) {
  api::MoverResult out;
  out.ok = success;
  if (!success) out.error = "the simulator says so";
  return api::encode(out);
}

// Of this Job and no namesake: a pod that goes with the one before must not be taken for the next one's.
std::string podName(const Json& job) {
  return text(job, "metadata", "name") + "-" + text(job, "metadata", "uid").substr(0, 8);
}

Json podOf(const Json& job) {
  const Json* pod = find(job, "spec", "template");
  Json out = *pod;
  out["metadata"]["name"] = podName(job);
  out["metadata"]["namespace"] = text(job, "metadata", "namespace");
  out["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "batch/v1"},
                                                     {"kind", "Job"},
                                                     {"name", text(job, "metadata", "name")},
                                                     {"uid", text(job, "metadata", "uid")},
                                                     {"controller", true}}});
  return out;
}

Json podStatus(bool success) {
  return {{"phase", success ? "Succeeded" : "Failed"},
          {"containerStatuses", Json::array({{{"name", "rsync"},
                                              {"image", "none"},
                                              {"imageID", ""},
                                              {"ready", false},
                                              {"restartCount", 0},
                                              {"state",
                                               {{"terminated",
                                                 {{"exitCode", success ? 0 : 1},
                                                  {"reason", success ? "Completed" : "Error"},
                                                  {"message", result(success)},
                                                  {"finishedAt", now()}}}}}}})}};
}

Json jobStatus(bool success) {
  const auto condition = [](const char* type) {
    return Json{{"type", type}, {"status", "True"}, {"lastTransitionTime", now()}, {"lastProbeTime", now()}};
  };
  Json out = {{"startTime", now()}, {"uncountedTerminatedPods", Json::object()}, {"active", 0}};
  if (success) {
    out["conditions"] = {condition("SuccessCriteriaMet"), condition("Complete")};
    out["completionTime"] = now();
    out["succeeded"] = 1;
  } else {
    out["conditions"] = {condition("FailureTarget"), condition("Failed")};
    out["failed"] = 3;
  }
  return out;
}

void complain(const char* what, const Result<Json>& result) {
  if (!result && !result.is(Errc::NotFound)) log::warn("simulator", "{}: {}", what, result.error().message);
}

}  // namespace

Simulator::Simulator(kube::Api& api) : api_(api) {
  for (int i = 0; i < kWorkers; ++i) {
    threads_.emplace_back([this](std::stop_token stop) {
      std::unique_lock lock(mutex_);
      while (wake_.wait(lock, stop, [this] { return !work_.empty(); })) {
        const auto act = std::move(work_.front());
        work_.pop_front();
        lock.unlock();
        act();
        lock.lock();
      }
    });
  }
  follow(r::kJobs, kOurs, [this](const Json& job) {
    if (!held_ && !find(job, "status", "conditions")) {
      if (const auto done = finish(job); !done && !done.is(Errc::NotFound))
        log::warn("simulator", "{}", done.error().message);
    }
  });
  follow(r::kPersistentVolumeClaims, "", [this](const Json& claim) { play(r::kPersistentVolumeClaims, claim); });
  follow(r::kVolumeSnapshots, kOurs, [this](const Json& snapshot) { play(r::kVolumeSnapshots, snapshot); });
}

Simulator::~Simulator() {
  for (auto& thread : threads_) thread.request_stop();
}

void Simulator::later(std::function<void()> act) {
  std::lock_guard lock(mutex_);
  work_.push_back(std::move(act));
  wake_.notify_one();
}

void Simulator::follow(const kube::ResourceType& type, const std::string& labels,
                       const std::function<void(const Json&)>& act) {
  threads_.emplace_back([this, &type, labels, act](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto watch = api_.watch(type, {.labelSelector = labels});  // everything there is, then what comes
      const std::stop_callback end(stop, [&] {
        if (watch.ok()) (*watch)->cancel();
      });
      while (watch.ok()) {
        auto event = (*watch)->next(10s);
        if (!event) break;
        if (!*event || (*event)->type == kube::WatchEvent::Type::Bookmark) continue;
        const bool gone = (*event)->type == kube::WatchEvent::Type::Deleted;
        if (gone && &type == &r::kJobs) {
          later([this, pod = kube::NamespacedName{kube::keyOf((*event)->object).ns, podName((*event)->object)}] {
            (void)api_.remove(r::kPods, pod, {.gracePeriodSeconds = 0});
          });
        }
        if (!gone) later([act, object = std::move((*event)->object)] { act(object); });
      }
      if (!watch.ok()) std::this_thread::sleep_for(100ms);  // a server that is away, or a kind that is not there
    }
  });
}

void Simulator::release(const kube::ResourceType& type, const Json& object) {
  if (find(object, "metadata", "finalizers"))
    complain("release", api_.patch(type, kube::keyOf(object), {{"metadata", {{"finalizers", nullptr}}}}));
}

void Simulator::play(const kube::ResourceType& type, const Json& object) {
  if (!text(object, "metadata", "deletionTimestamp").empty()) return release(type, object);
  Json status;
  if (&type == &r::kPersistentVolumeClaims) {
    if (text(object, "status", "phase") == "Bound") return;
    const Json* size = find(object, "spec", "resources", "requests", "storage");
    status = {{"phase", "Bound"},
              {"accessModes", object["spec"]["accessModes"]},
              {"capacity", {{"storage", size ? *size : Json("1Gi")}}}};
  } else {
    if (truth(object, "status", "readyToUse")) return;
    status = {{"readyToUse", true},
              {"restoreSize", "1Gi"},
              {"boundVolumeSnapshotContentName", "content-" + text(object, "metadata", "uid")}};
  }
  complain("play", api_.patch(type, kube::keyOf(object), {{"status", std::move(status)}}, kube::Subresource::Status));
}

Result<void> Simulator::finish(const Json& job, bool success) {
  const auto key = kube::keyOf(job);
  const kube::NamespacedName pod{key.ns, podName(job)};
  const auto made = api_.create(r::kPods, podOf(job));
  if (!made && !made.is(Errc::AlreadyExists)) return made.error();
  GODWIT_TRY(api_.patch(r::kPods, pod, {{"status", podStatus(success)}}, kube::Subresource::Status));
  GODWIT_TRY(api_.patch(r::kJobs, key, {{"status", jobStatus(success)}}, kube::Subresource::Status));
  return {};
}

}  // namespace godwit::apiserver
