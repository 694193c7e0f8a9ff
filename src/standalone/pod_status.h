// A pod's status as a kubelet reports it, for pods with one container that matters. Pure: each returns the value of
// `status` to merge into the pod.
#pragma once
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "standalone/pod_spec.h"

namespace godwit::standalone {

Json unschedulableStatus(const Json& pod, const std::string& message, TimePoint now);
Json waitingStatus(const Json& pod, const Waiting& waiting, TimePoint now);
Json runningStatus(const Json& pod, const std::string& hostAddress, TimePoint now);
// `message` is the termination message; a container that was killed has reason Error and code 128 + signal.
Json endedStatus(const Json& pod, const ExitStatus& exit, const std::string& message, TimePoint now);
// The container is gone and nobody saw how: reason NodeLost, exit code 255.
Json lostStatus(const Json& pod, TimePoint now);

}  // namespace godwit::standalone
