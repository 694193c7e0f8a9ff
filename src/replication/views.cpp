#include "replication/views.h"

namespace godwit::replication {

static api::Role roleOf(const Json& object) {
  return text(object, "kind") == api::kindOf(api::Role::Source) ? api::Role::Source : api::Role::Destination;
}

// A status edited into nonsense loses the fields that do not parse, and only those.
static Json soundStatus(const Json& object) {
  Json out = Json::object();
  const Json* status = find(object, "status");
  if (!status || !status->is_object()) return out;
  Json probe = object;
  probe.erase("spec");
  for (const auto& [field, value] : status->items()) {
    probe["status"] = {{field, value}};
    if (api::replicationFromJson(probe)) out[field] = value;
  }
  return out;
}

// A spec that does not parse must not hide the object: its status still says what to do with what it left behind.
Watched watchedFromJson(const Json& object) {
  Watched out;
  out.meta = api::metaFromJson(object);
  auto whole = api::replicationFromJson(object);
  if (!whole) {
    Json sound = object;
    sound["status"] = soundStatus(object);
    whole = api::replicationFromJson(sound);
    if (!whole) {
      out.problem = whole.error().message;
      sound.erase("spec");
      whole = api::replicationFromJson(sound);
    }
  }
  if (whole) out.object = *std::move(whole);
  out.object.role = roleOf(object);
  out.object.meta = out.meta;
  return out;
}

SecretCard secretCard(const Json& object) {
  SecretCard out;
  out.meta = api::metaFromJson(object);
  const Json* data = find(object, "data");
  if (!data || !data->is_object()) return out;
  for (const auto& [field, value] : data->items()) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) out.fields.insert(field);
  }
  return out;
}

static Named named(const Json& object) { return {api::metaFromJson(object)}; }

Views::Views(const Clock& clock)
    : sources(clock, watchedFromJson),
      destinations(clock, watchedFromJson),
      jobs(clock, api::jobFromJson),
      pods(clock, api::podFromJson),
      pvcs(clock, api::pvcFromJson),
      snapshots(clock, api::snapshotFromJson),
      services(clock, api::serviceFromJson),
      secrets(clock, secretCard),
      accounts(clock, named),
      namespaces(clock, named) {}

}  // namespace godwit::replication
