// The mover's Job: one per iteration, left to finish once it runs.
#include "api/names.h"
#include "base/log.h"
#include "replication/act.h"
#include "replication/placement.h"

namespace godwit::replication {

namespace {

using kube::EventType;
using kube::resources::kJobs;
constexpr Duration kPodPatience = std::chrono::seconds(10), kMakingPatience = std::chrono::minutes(2);
constexpr Duration kLookAgain = std::chrono::minutes(1);

// A Job that an earlier iteration left behind says nothing about this one. VolSync's Jobs carry no mark: they count.
bool ofEarlierIteration(const Pass& pass, const api::Job& job) {
  const auto mark = job.meta.annotation(kForSyncAnnotation);
  return !mark.empty() && pass.object.status.lastSyncStartTime &&
         mark != api::formatTime(*pass.object.status.lastSyncStartTime);
}

// A mover whose Job was deleted, by a user or with an object of the same name, may take its time to end.
const api::Pod* predecessor(const Pass& pass, const std::vector<api::Pod>& pods) {
  const auto it =
      std::find_if(pods.begin(), pods.end(), [&](const auto& pod) { return alive(pod) && ownMover(pass, pod); });
  return it == pods.end() ? nullptr : &*it;
}

void lookAtClocks(Pass& pass, const api::ObjectMeta& justMade) {
  auto& skew = pass.doors.views.skew;
  if (justMade.creationTimestamp) skew.observe(*justMade.creationTimestamp, pass.doors.clock.now());
  if (const auto remark = skew.remark(); !remark.empty()) pass.tell(EventType::Warning, "ClockSkew", remark);
}

Outcome start(Pass& pass) {
  if (pass.object.spec.paused) {
    pass.note = "paused by spec.paused";
    return Wait{"paused"};
  }
  const auto pods = podsAround(pass, Freshness::MayLag);
  if (!pods) return outcomeOf(pods.error());
  if (const auto* before = predecessor(pass, *pods)) {
    pass.note = "waiting for the previous mover " + before->meta.name + " to end";
    warnAfter(pass, before->meta, kPodPatience, "PreviousMoverRuns",
              pass.note + "; if its node is gone for good, delete the pod with --force");
    return Wait{"the previous mover still runs"};
  }
  if (const auto current = pass.confirm(); !current) return outcomeOf(current.error());
  const Json wanted = planJob(pass.object, pass.world, pass.doors.config, placement(pass, *pods));
  const auto made = create(pass, pass.doors.views.jobs, kJobs, wanted);
  if (!made) return outcomeOf(made.error());
  pass.world.job = made->object;
  if (!made->created) return stepJob(pass);  // the watch was late: it may even have ended
  pass.tell(EventType::Normal, "TransferStarted", fmt::format("starting {} as a mover", made->object->meta.name));
  lookAtClocks(pass, made->object->meta);
  return Wait{"the mover has been started"};
}

Outcome again(Pass& pass) {
  pass.object.status.latestMoverStatus = moverOutcome(pass, false);
  const auto& logs = pass.object.status.latestMoverStatus->logs;
  pass.tell(EventType::Warning, "TransferFailed",
            fmt::format("mover {} failed: {}", pass.world.job->meta.name, logs.substr(0, logs.find('\n'))));
  if (pass.object.meta.annotations.contains(api::kDebugMoverAnnotation)) {
    return Failure{fmt::format("mover {} failed and is kept for debugging; remove annotation {} to try again",
                               pass.world.job->meta.name, api::kDebugMoverAnnotation),
                   false};
  }
  if (const auto told = pass.publish(); !told) return outcomeOf(told.error());
  const auto gone = drop(pass, pass.doors.views.jobs, kJobs, pass.world.job->meta);
  return gone.ok() ? Outcome(Wait{"the mover failed and is started again"}) : outcomeOf(gone.error());
}

// The image was begun because all data had arrived. A mover that took the place of one that was deleted since would
// write into the volume while it is copied.
bool received(const Pass& pass) {
  if (pass.object.role == api::Role::Source || pass.object.spec.rsync->direct()) return false;
  const auto& image = pass.world.image;
  const auto volume = pass.world.data(pass.object);
  return image && volume && ownedBy(image->meta, pass.object.meta) && !image->meta.deletionTimestamp &&
         image->meta.name == imageInTheMaking(pass.object, *volume);
}

bool beingMade(const api::Pod& pod) {
  return pod.waitingReason == "ContainerCreating" || pod.waitingReason == "PodInitializing";
}

std::string troubleOf(const api::Pod& pod) {
  if (!pod.unschedulable.empty()) return pod.unschedulable;
  if (pod.waitingReason.empty() || beingMade(pod)) return {};
  return pod.waitingReason + (pod.waitingMessage.empty() ? "" : ": " + pod.waitingMessage);
}

// A volume that another node has not let go, or a Secret that is not there, is told in the events of the pod alone.
void tellOfWaitingPod(Pass& pass, const api::Pod& pod) {
  auto trouble = troubleOf(pod);
  const bool slow = trouble.empty() && beingMade(pod) && pass.overdue(pod.meta, kMakingPatience);
  if (slow) trouble = fmt::format("still being created; kubectl describe pod {} tells why", pod.meta.name);
  if (trouble.empty()) return;
  const auto message = "mover " + pod.meta.name + ": " + trouble;
  if (slow || pass.overdue(pod.meta, kPodPatience)) pass.tell(EventType::Warning, "MoverPodWaiting", message);
  pass.note += (pass.note.empty() ? "" : "; ") + message;  // a volume that does not bind may be why
}

// Only an event of the Job tells why its pod cannot be made: Pod Security, a quota, an admission webhook. Names of
// pods, which differ with each attempt, are left out.
std::string refusalOf(Pass& pass, const api::Job& job) {
  const auto events = pass.doors.api.list(
      kube::resources::kEvents,
      {.ns = job.meta.ns, .fieldSelector = fmt::format("involvedObject.uid={},reason=FailedCreate", job.meta.uid)});
  if (!events) return "the events that tell why cannot be read: " + events.error().message;
  std::string message, newest;
  for (const auto& event : events->items) {
    auto at = text(event, "lastTimestamp");
    if (at < newest) continue;
    newest = std::move(at);
    message = text(event, "message");
  }
  constexpr std::string_view kForbidden = "is forbidden: ";
  const auto at = message.find(kForbidden);
  return at == message.npos ? message : message.substr(at + kForbidden.size());
}

void tellOfMissingPod(Pass& pass, const api::Job& job) {
  if (!pass.overdue(job.meta, kPodPatience)) return;
  pass.wake(pass.world.now + kLookAgain);
  const auto why = refusalOf(pass, job);
  if (why.empty()) return;  // slow, as far as anybody has said
  pass.note = fmt::format("no pod could be made for Job {} yet: {}", job.meta.name, why);
  pass.tell(EventType::Warning, "MoverPodNotCreated", pass.note);
}

bool hasStarted(const api::Pod& pod) {
  return pod.terminated || (!pod.phase.empty() && pod.phase != "Pending");
}

bool neverStarted(const Pass& pass, const api::Job& job) {
  const auto pods = pass.doors.views.pods.indexed(job.meta.ns, job.meta.uid);
  return std::none_of(pods.begin(), pods.end(), [](const auto& pod) { return hasStarted(*pod); }) && job.failed == 0 &&
         job.succeeded == 0 && (!pods.empty() || job.active == 0);
}

// By the server's word: our watch may be late, and who runs is left to finish.
Result<bool> startedUnseen(Pass& pass, const api::Job& job) {
  const auto name = api::podNameLabel(pass.object.role, pass.object.meta.name);
  const auto pods = pass.doors.api.list(kube::resources::kPods,
                                        {.ns = job.meta.ns, .labelSelector = "app.kubernetes.io/name=" + name});
  if (!pods) return pods.error();
  return std::any_of(pods->items.begin(), pods->items.end(), [&](const Json& item) {
    const auto pod = api::podFromJson(item);
    const auto* owner = pod.meta.controller();
    return owner && owner->uid == job.meta.uid && hasStarted(pod);
  });
}

// A pod that waits for its image, for a node or for permission waits no less when that has been put right elsewhere: in
// the spec, at the namespace, with the operator's own options.
Result<bool> outdated(Pass& pass, const api::Job& job) {
  const auto made = job.meta.annotation(kPodHashAnnotation);
  if (made.empty()) return false;  // of an earlier version, or VolSync's
  if (!neverStarted(pass, job) || made == podHash(pass.object, pass.world, pass.doors.config)) return false;
  GODWIT_ASSIGN(const bool started, startedUnseen(pass, job));
  return !started;
}

Outcome makeAnew(Pass& pass, const api::Job& job) {
  const auto gone = drop(pass, pass.doors.views.jobs, kJobs, job.meta);
  return gone.ok() ? Outcome(Wait{"the mover does not run and is made anew"}) : outcomeOf(gone.error());
}

Result<bool> late(Pass& pass, const api::Job& job) {
  if (pass.object.spec.paused) return false;
  GODWIT_ASSIGN(const bool changed, outdated(pass, job));
  return changed ? Result<bool>(true) : misplaced(pass, job);
}

Outcome running(Pass& pass) {
  const auto& job = *pass.world.job;
  const auto anew = late(pass, job);
  if (!anew) return outcomeOf(anew.error());
  if (*anew) return makeAnew(pass, job);
  const std::int64_t parallelism = pass.object.spec.paused ? 0 : 1;
  if (job.parallelism != parallelism) {
    const auto stored =
        patch(pass, pass.doors.views.jobs, kJobs, job.meta.key(), {{"spec", {{"parallelism", parallelism}}}});
    if (!stored) return outcomeOf(stored.error());
  }
  if (pass.object.spec.paused) pass.note = "paused by spec.paused";
  if (pass.object.spec.paused) return Wait{"paused"};
  if (const auto& pod = pass.world.pod) {
    tellOfWaitingPod(pass, *pod);
  } else if (job.failed == 0) {  // after a failure the next pod takes its time
    tellOfMissingPod(pass, job);
  }
  return Wait{"the mover runs"};
}

}  // namespace

Outcome stepJob(Pass& pass) {
  const auto& object = pass.object;
  const auto job = pass.world.job;
  if (!job && object.role == api::Role::Source && !object.spec.rsync->address) {
    return Failure{"no address: set spec.rsync.address to the destination's status.rsync.address", false};
  }
  if (!job && received(pass)) return Done{};
  if (!job) return start(pass);
  if (const auto owner = checkOwner(kJobs, job->meta, object); !owner) return outcomeOf(owner.error());
  if (job->meta.deletionTimestamp) return Wait{"the previous mover is being deleted"};
  if (ofEarlierIteration(pass, *job)) {
    const auto gone = drop(pass, pass.doors.views.jobs, kJobs, job->meta);
    return gone.ok() ? Outcome(Wait{"a mover of an earlier iteration is being deleted"}) : outcomeOf(gone.error());
  }
  if (job->complete) return Done{};
  return job->failedForGood ? again(pass) : running(pass);
}

}  // namespace godwit::replication
