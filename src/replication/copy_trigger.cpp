// Copy triggers: the user says on the source PVC when it is in a state worth copying (contract section 2).
#include "replication/act.h"

namespace godwit::replication {

namespace {

using namespace copy_trigger;
using kube::EventType;
constexpr Duration kPatience = std::chrono::minutes(10);

Result<void> annotate(Pass& pass, const Json& annotations) {
  auto stored = patch(pass, pass.doors.views.pvcs, kube::resources::kPersistentVolumeClaims,
                      pass.world.given->meta.key(), {{"metadata", {{"annotations", annotations}}}});
  if (!stored) return stored.error();
  pass.world.given = *stored;
  return {};
}

Outcome keepWaiting(Pass& pass) {
  const auto& pvc = *pass.world.given;
  const auto since = api::parseTime(pvc.meta.annotation(kWaitingSince));
  if (pvc.meta.annotation(kStatus) != "WaitingForTrigger" || !since) {
    const auto now = api::formatTime(pass.world.now);
    if (const auto told = annotate(pass, {{kStatus, "WaitingForTrigger"}, {kWaitingSince, now}}); !told) {
      return outcomeOf(told.error());
    }
    pass.tell(EventType::Normal, "SrcPVCWaitingForCopyTrigger",
              fmt::format("PersistentVolumeClaim {}: set annotation {} to a new value to have it copied", pvc.meta.name,
                          kTrigger));
  }
  const TimePoint deadline = since ? *since + kPatience : pass.world.now + kPatience;
  if (pass.world.now < deadline) {
    pass.wake(deadline);
    return Wait{"waiting for the copy trigger"};
  }
  const auto message = fmt::format(
      "waited more than 10 minutes for annotation {} of PersistentVolumeClaim {} to get a "
      "new value; still waiting",
      kTrigger, pvc.meta.name);
  if (pass.object.status.latestMoverStatus != api::MoverStatus{"Failed", message}) {
    pass.tell(EventType::Warning, "SrcPVCTimeoutWaitingForCopyTrigger", message);
    pass.object.status.latestMoverStatus = {"Failed", message};
  }
  return Wait{message};
}

}  // namespace

Outcome awaitCopyTrigger(Pass& pass) {
  const auto& meta = pass.world.given->meta;
  if (!meta.annotations.contains(kUse)) return Done{};
  const auto trigger = meta.annotation(kTrigger);
  if (trigger.empty() || trigger == meta.annotation(kLatest)) return keepWaiting(pass);
  if (meta.annotation(kStatus) == "InProgress") return Done{};
  if (const auto told = annotate(pass, {{kStatus, "InProgress"}, {kWaitingSince, nullptr}}); !told) {
    return outcomeOf(told.error());
  }
  pass.tell(EventType::Normal, "SrcPVCCopyTriggerReceived", fmt::format("copying for trigger {}", trigger));
  return Done{};
}

Result<void> completeCopyTrigger(Pass& pass, const api::ObjectMeta& made) {
  if (pass.object.role != api::Role::Source || !pass.world.given) return {};
  const auto& meta = pass.world.given->meta;
  const auto trigger = made.annotation(kForCopyTriggerAnnotation);
  if (trigger.empty() || meta.annotation(kStatus) != "InProgress") return {};
  GODWIT_TRY(annotate(pass, {{kStatus, "Completed"}, {kLatest, trigger}}));
  pass.tell(EventType::Normal, "SrcPVCCopyUsingCopyTriggerCompleted", fmt::format("copied for trigger {}", trigger));
  return {};
}

}  // namespace godwit::replication
