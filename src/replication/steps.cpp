#include "replication/steps.h"

#include "replication/act.h"

namespace godwit::replication {

Outcome outcomeOf(const Error& error) {
  return Failure{error.message, error.code != Errc::Invalid};
}

void Pass::tell(kube::EventType type, std::string_view reason, std::string_view message) {
  const auto& meta = object.meta;
  doors.recorder.event({api::kApiVersion, api::kindOf(object.role), meta.ns, meta.name, meta.uid, meta.resourceVersion},
                       type, reason, message);
}

bool Pass::overdue(const api::ObjectMeta& awaited, Duration patience) {
  const TimePoint deadline = doors.views.waits.since(awaited.uid, world.now) + patience;
  if (world.now < deadline) wake(deadline);
  return world.now >= deadline;
}

void warnAfter(Pass& pass, const api::ObjectMeta& awaited, Duration patience, std::string_view reason,
               std::string_view message) {
  if (!pass.overdue(awaited, patience)) return;
  pass.tell(kube::EventType::Warning, reason, message);
  if (pass.note.empty()) pass.note = message;
}

Result<void> checkOwner(const kube::ResourceType& type, const api::ObjectMeta& child, const api::Replication& object) {
  if (ownedBy(child, object.meta)) return {};
  const auto* owner = child.controller();
  if (!owner) {
    return Error{Errc::AlreadyExists,
                 fmt::format("{} {} is in the way: nobody owns it; rename or delete it", type.kind, child.name)};
  }
  if (owner->kind == api::kindOf(object.role) && owner->name == object.meta.name) {
    return Error{Errc::AlreadyExists, fmt::format("{} {} still belongs to an earlier {} of this name; waiting for its "
                                                  "garbage collection",
                                                  type.kind, child.name, owner->kind)};
  }
  return Error{Errc::AlreadyExists,
               fmt::format("{} {} is in the way: it belongs to {} {}; delete it or rename this {}", type.kind,
                           child.name, owner->kind, owner->name, api::kindOf(object.role))};
}

Result<void> checkAlive(Pass& pass) {
  const auto& meta = pass.object.meta;
  const auto current = pass.doors.api.get(kube::resources::of(pass.object.role), meta.key());
  if (!current.ok() && !current.is(Errc::NotFound)) return current.error();
  if (current.ok() && text(*current, "metadata", "uid") == meta.uid) return {};
  auto& view = pass.doors.views.of(pass.object.role);
  if (current.ok()) {
    view.wrote(*current);
  } else {
    view.removed(meta);
  }
  return Error{Errc::NotFound, fmt::format("{} {} is gone", api::kindOf(pass.object.role), meta.key().str())};
}

const std::vector<Step>& steps() {
  static const std::vector<Step> kSteps = {{"volume", stepVolume},   {"service", stepService}, {"keys", stepKeys},
                                           {"account", stepAccount}, {"job", stepJob},         {"image", stepImage}};
  return kSteps;
}

const std::vector<Step>& publishing() {
  static const std::vector<Step> kSteps = {{"service", stepService}, {"keys", stepKeys}, {"account", stepAccount}};
  return kSteps;
}

}  // namespace godwit::replication
