#include "replication/views.h"

namespace godwit::replication {

static constexpr const char* kRead[] = {"volsync.backube/", "godwit/", "app.kubernetes.io/", "volume.kubernetes.io/"};

// Labels and annotations of others say nothing to us and can be large: kubectl keeps a whole manifest in one.
static api::ObjectMeta trimmed(api::ObjectMeta meta) {
  for (auto* map : {&meta.labels, &meta.annotations}) {
    std::erase_if(*map, [](const auto& each) {
      return std::none_of(std::begin(kRead), std::end(kRead),
                          [&](const char* prefix) { return each.first.starts_with(prefix); });
    });
  }
  return meta;
}

template <class T>
static std::function<T(const Json&)> trimming(T (*read)(const Json&)) {
  return [read](const Json& object) {
    T out = read(object);
    out.meta = trimmed(std::move(out.meta));
    return out;
  };
}

using Found = std::pair<std::string_view, std::string_view>;

template <class T>
static Found byOwner(const T& child) {
  const auto* owner = child.meta.controller();
  return {child.meta.ns, owner ? std::string_view(owner->uid) : std::string_view()};
}

static Found byOwnerOrFiller(const api::Pvc& claim) {
  return claim.filledFrom.empty() ? byOwner(claim) : Found{claim.meta.ns, claim.filledFrom};
}

static Found byVolume(const Watched& object) {
  if (object.role == api::Role::Source) return {object.meta.ns, object.spec.sourcePVC};
  const auto& rsync = object.spec.rsync;
  return {object.meta.ns,
          rsync && rsync->destinationPVC ? std::string_view(*rsync->destinationPVC) : std::string_view()};
}

static api::Role roleOf(const Json& object) {
  return text(object, "kind") == api::kindOf(api::Role::Source) ? api::Role::Source : api::Role::Destination;
}

// A status edited into nonsense loses the fields that do not parse, and only those; they are named in `nonsense`.
static Json soundStatus(const Json& object, std::vector<std::string>& nonsense) {
  Json out = Json::object();
  const Json* status = find(object, "status");
  if (!status || !status->is_object()) return out;
  Json probe = object;
  probe.erase("spec");
  for (const auto& [field, value] : status->items()) {
    probe["status"] = {{field, value}};
    if (api::replicationFromJson(probe)) {
      out[field] = value;
    } else {
      nonsense.push_back(field);
    }
  }
  return out;
}

// A spec that does not parse must not hide the object: its status still says what to do with what it left behind.
Watched watchedFromJson(const Json& object) {
  Watched out;
  auto whole = api::replicationFromJson(object);
  if (!whole) {
    Json sound = object;
    sound["status"] = soundStatus(object, out.nonsense);
    whole = api::replicationFromJson(sound);
    if (!whole) {
      out.problem = whole.error().message;
      sound.erase("spec");
      whole = api::replicationFromJson(sound);
    }
  }
  if (whole) static_cast<api::Replication&>(out) = *std::move(whole);
  out.role = roleOf(object);
  out.meta = trimmed(api::metaFromJson(object));
  // The log's end is written, never read: its first line is what conditions repeat. The mark keeps the cut text from
  // being equal to any whole one, which has no line end at its end, so that a new status is always written.
  if (auto& mover = out.status.latestMoverStatus; mover && mover->logs.find('\n') != std::string::npos) {
    mover->logs.resize(mover->logs.find('\n') + 1);
    mover->logs.shrink_to_fit();
  }
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

static Named named(const Json& object) {
  return {api::metaFromJson(object)};
}

static RoleCard roleCard(const Json& object) {
  const Json* rules = find(object, "rules");
  return {api::metaFromJson(object), rules ? *rules : Json()};
}

Views::Views(const Clock& clock)
    : sources(clock, watchedFromJson, byVolume),
      destinations(clock, watchedFromJson, byVolume),
      jobs(clock, trimming(api::jobFromJson), byOwner<api::Job>),
      pods(clock, trimming(api::podFromJson), byOwner<api::Pod>),
      pvcs(clock, trimming(api::pvcFromJson), byOwnerOrFiller),
      snapshots(clock, trimming(api::snapshotFromJson), byOwner<api::VolumeSnapshot>),
      services(clock, api::serviceFromJson),  // all annotations: what the spec asks for is compared
      secrets(clock, trimming(secretCard)),
      accounts(clock, trimming(named)),
      namespaces(clock, trimming(named)),
      roles(clock, trimming(roleCard)),
      roleBindings(clock, trimming(named)) {}

}  // namespace godwit::replication
