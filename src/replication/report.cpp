#include "replication/report.h"

#include "api/names.h"

namespace godwit::replication {

namespace {

constexpr const char* kSynchronizing = "Synchronizing";
constexpr const char* kReconciled = "Reconciled";

void set(api::Replication& object, const char* type, bool status, const char* reason, std::string message,
         TimePoint now) {
  object.status.setCondition(
      {type, status ? "True" : "False", reason, std::move(message), std::nullopt, object.meta.generation}, now);
}

constexpr std::string_view kPaused = "paused by spec.paused";

std::string withNote(std::string_view text, std::string_view note) {
  return note.empty() ? std::string(text) : fmt::format("{}; {}", text, note);
}

void complete(api::Replication& object, TimePoint now) {
  set(object, kReconciled, true, "ReconcileComplete", "Reconcile complete", now);
}

struct Words {
  const char* reason;
  const char* message;
};
Words idleWords(const api::ReplicationSpec& spec) {
  if (triggerKind(spec) == TriggerKind::Schedule)
    return {"WaitingForSchedule", "Waiting for next scheduled synchronization"};
  return {"WaitingForManual", "Waiting for manual trigger"};
}

// What was remarked when the object became idle; it stays until the next iteration.
std::string remarkIn(const api::Condition* said, const Words& words) {
  if (!said || said->reason != words.reason || !said->message.starts_with(words.message)) return {};
  std::string_view rest = said->message;
  for (const std::string_view known : {std::string_view(words.message), kPaused}) {
    if (rest.starts_with(known)) rest.remove_prefix(known.size());
    if (rest.starts_with("; ")) rest.remove_prefix(2);
  }
  return std::string(rest);
}

// The mover that runs now has a predecessor that failed: its error stays visible until one succeeds.
std::string lastFailure(const api::ReplicationStatus& status) {
  if (!status.latestMoverStatus || status.latestMoverStatus->result != "Failed") return {};
  const auto& logs = status.latestMoverStatus->logs;
  return "the last attempt failed: " + logs.substr(0, std::min<std::size_t>(logs.find('\n'), 512));
}

bool set(const std::optional<std::string>& field, std::string_view otherwise) {
  return field && !field->empty() && *field != otherwise;
}

}  // namespace

void reportSyncing(api::Replication& object, const std::string& note, TimePoint now) {
  const auto told = note.empty() ? lastFailure(object.status) : note;
  set(object, kSynchronizing, true, "SyncInProgress", withNote("Synchronization in-progress", told), now);
  complete(object, now);
}

void reportCleaningUp(api::Replication& object, const std::string& note, TimePoint now) {
  set(object, kSynchronizing, false, "CleaningUp", withNote("Cleaning up", note), now);
  complete(object, now);
}

void reportIdle(api::Replication& object, const std::optional<std::string>& note, TimePoint now) {
  const auto words = idleWords(object.spec);
  const auto remark = note ? *note : remarkIn(object.status.condition(kSynchronizing), words);
  const auto idle = withNote(words.message, object.spec.paused ? kPaused : "");
  set(object, kSynchronizing, false, words.reason, withNote(idle, remark), now);
  complete(object, now);
}

void reportError(api::Replication& object, const std::string& message, TimePoint now) {
  set(object, kSynchronizing, false, "Error", message, now);
  set(object, kReconciled, false, "ReconcileError", message, now);
}

bool servedByGodwit(const api::ReplicationStatus& status) {
  const auto* reconciled = status.condition(kReconciled);
  return reconciled && reconciled->observedGeneration > 0;
}

std::string adoptionRefusal(const api::Replication& object) {
  if (!object.spec.rsync || !object.status.lastSyncTime || servedByGodwit(object.status)) return {};
  if (object.meta.annotations.contains(api::kAcceptPathAndUserAnnotation)) return {};
  const bool path = set(object.spec.rsync->path, "/"), user = set(object.spec.rsync->sshUser, "root");
  if (!path && !user) return {};
  return fmt::format(
      "{} was ignored by VolSync, which synchronized this object so far, and would be honoured now; "
      "remove it, or annotate the object with {} to agree",
      path && user ? "spec.rsync.path and spec.rsync.sshUser"
      : path       ? "spec.rsync.path"
                   : "spec.rsync.sshUser",
      api::kAcceptPathAndUserAnnotation);
}

void reportAdoptionRefusal(api::Replication& object, const std::string& message, TimePoint now) {
  set(object, kSynchronizing, false, "Error", message, now);
}

}  // namespace godwit::replication
