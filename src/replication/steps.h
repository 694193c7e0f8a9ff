// One iteration as an ordered list of steps, the same for both roles: volume -> service -> keys -> account -> job ->
// image. A step looks at the world, makes what lacks, and says whether the next one may go on. Any step may be entered
// again at any time: what is so is left alone.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "kube/recorder.h"
#include "replication/metrics.h"
#include "replication/world.h"

namespace godwit::replication {

struct Done {};
struct Wait {
  std::string reason;  // for the log; what users should see goes to Pass::note
};
struct Failure {
  std::string message;
  bool retryable = true;  // false: only a change of the objects that are watched can help
};
using Outcome = std::variant<Done, Wait, Failure>;
Outcome outcomeOf(const Error& error);  // Failure, retryable unless the server called our input wrong

// The doors a reconcile acts through.
struct Doors {
  kube::Api& api;
  const Clock& clock;
  kube::Recorder& recorder;
  Metrics& metrics;
  const ControllerConfig& config;
  Views& views;
};

// One reconcile of one object.
struct Pass {
  Doors& doors;
  api::Replication object;  // object.status is the draft of what will be written
  World world;
  std::string note;                       // follows "Synchronization in-progress" in the condition
  std::optional<TimePoint> wakeAt;        // look again then, whatever happens
  std::function<Result<void>()> publish;  // writes the draft of the status now: before what it tells of is deleted
  // Before what a late watch must not cause: Conflict or NotFound when the object is no longer what this pass has read.
  std::function<Result<void>()> confirm;

  void wake(TimePoint t) { wakeAt = wakeAt ? std::min(*wakeAt, t) : t; }
  // Whether an object has been awaited for so long, by our own clock; if not yet, looks again when it has.
  bool overdue(const api::ObjectMeta& awaited, Duration patience);
  void look() { world = replication::look(doors.views, object, doors.clock.now()); }
  void tell(kube::EventType type, std::string_view reason, std::string_view message);
};

// An object that is not ready is worth a Warning when it has been awaited for so long: `message` becomes an event then,
// and the condition's note unless there is a better one.
void warnAfter(Pass& pass, const api::ObjectMeta& awaited, Duration patience, std::string_view reason,
               std::string_view message);

struct Step {
  const char* name;
  Outcome (*run)(Pass&);
};
const std::vector<Step>& steps();       // a whole iteration
const std::vector<Step>& publishing();  // what the other end needs to know before the first one: service, keys, account

Outcome stepVolume(Pass& pass);
Outcome stepService(Pass& pass);
Outcome stepKeys(Pass& pass);
Outcome stepAccount(Pass& pass);
Outcome stepJob(Pass& pass);
Outcome stepImage(Pass& pass);

// The name that this iteration has chosen for the image of `volume`, "" while it has not: a name that an earlier one
// left on a volume that was used before counts for nothing.
std::string imageInTheMaking(const api::Replication& object, const api::Pvc& volume);

// Source PVC under copy triggers. Done: a copy may be made now.
Outcome awaitCopyTrigger(Pass& pass);
// Tells the user that the copy `made` for a trigger is complete. Nothing to do: no request.
Result<void> completeCopyTrigger(Pass& pass, const api::ObjectMeta& made);

// latestMoverStatus of the Job that has ended: the mover's own summary or error first, then the tail of its log.
api::MoverStatus moverOutcome(Pass& pass, bool successful);

// What users should know about an iteration that succeeded, "" when nothing: files changed while they were copied (the
// storage says so by annotation), ownership that an unprivileged mover cannot keep, clocks that differ.
std::string remarks(const Pass& pass);

}  // namespace godwit::replication
