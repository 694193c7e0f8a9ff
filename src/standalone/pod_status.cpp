#include "standalone/pod_status.h"

#include "api/meta.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

Json conditions(const Json& pod, bool scheduled, bool ready, const char* reason, TimePoint now) {
  Json view = pod;
  const auto put = [&](const char* type, bool holds, const char* why) {
    Json condition = {{"type", type}, {"status", holds ? "True" : "False"}};
    if (!holds && *why) condition["reason"] = why;
    view["status"]["conditions"] = withCondition(view, std::move(condition), now);
  };
  put("PodScheduled", scheduled, "Unschedulable");
  put("Initialized", true, "");
  put("ContainersReady", ready, reason);
  put("Ready", ready, reason);
  return view["status"]["conditions"];
}

Json containerStatus(const Json& pod, Json state, bool running) {
  const auto& containers = elements(find(pod, "spec", "containers"));
  const Json container = containers.empty() ? Json::object() : containers.front();
  return Json::array({{{"name", text(container, "name")},
                       {"image", text(container, "image")},
                       {"imageID", ""},
                       {"restartCount", 0},
                       {"ready", running},
                       {"started", running},
                       {"lastState", Json::object()},
                       {"state", std::move(state)}}});
}

std::string startedAt(const Json& pod, TimePoint otherwise) {
  const auto& statuses = elements(find(pod, "status", "containerStatuses"));
  const auto at = statuses.empty() ? "" : text(statuses.front(), "state", "running", "startedAt");
  return at.empty() ? api::formatTime(otherwise) : at;
}

Json terminated(const Json& pod, int code, const char* reason, const std::string& message, TimePoint now) {
  Json state = {
      {"exitCode", code}, {"reason", reason}, {"startedAt", startedAt(pod, now)}, {"finishedAt", api::formatTime(now)}};
  if (!message.empty()) state["message"] = message;
  return containerStatus(pod, {{"terminated", std::move(state)}}, false);
}

}  // namespace

Json unschedulableStatus(const Json& pod, const std::string& message, TimePoint now) {
  Json view = pod;
  Json condition = {{"type", "PodScheduled"}, {"status", "False"}, {"reason", "Unschedulable"}, {"message", message}};
  return {{"phase", "Pending"}, {"conditions", withCondition(view, std::move(condition), now)}};
}

Json waitingStatus(const Json& pod, const Waiting& waiting, TimePoint now) {
  return {{"phase", "Pending"},
          {"conditions", conditions(pod, true, false, "ContainersNotReady", now)},
          {"containerStatuses",
           containerStatus(pod, {{"waiting", {{"reason", waiting.reason}, {"message", waiting.message}}}}, false)}};
}

Json runningStatus(const Json& pod, const std::string& hostAddress, TimePoint now) {
  return {{"phase", "Running"},
          {"startTime", api::formatTime(now)},
          {"hostIP", hostAddress},
          {"podIP", hostAddress},
          {"qosClass", "BestEffort"},
          {"conditions", conditions(pod, true, true, "", now)},
          {"containerStatuses", containerStatus(pod, {{"running", {{"startedAt", api::formatTime(now)}}}}, true)}};
}

Json endedStatus(const Json& pod, const ExitStatus& exit, const std::string& message, TimePoint now) {
  const char* reason = exit.success() ? "PodCompleted" : "PodFailed";
  return {{"phase", exit.success() ? "Succeeded" : "Failed"},
          {"conditions", conditions(pod, true, false, reason, now)},
          {"containerStatuses", terminated(pod, exit.code, exit.success() ? "Completed" : "Error", message, now)}};
}

Json lostStatus(const Json& pod, TimePoint now) {
  const std::string message = "the node was restarted while the container ran";
  return {{"phase", "Failed"},
          {"reason", "NodeLost"},
          {"message", message},
          {"conditions", conditions(pod, true, false, "PodFailed", now)},
          {"containerStatuses", terminated(pod, 255, "NodeLost", message, now)}};
}

}  // namespace godwit::standalone
