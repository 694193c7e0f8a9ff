// Store's writes: each one is checked, admitted, made durable, then shown.
#include <fmt/core.h>

#include <charconv>

#include "api/meta.h"
#include "standalone/store_impl.h"

namespace godwit::standalone {

namespace resources = kube::resources;

static std::string resourceName(const kube::ResourceType& type) {
  return type.group.empty() ? std::string(type.plural) : fmt::format("{}.{}", type.plural, type.group);
}

// The number of an object's last write; 0 for what is none.
static std::uint64_t versionOf(const Json& object) {
  const auto version = text(object, "metadata", "resourceVersion");
  std::uint64_t out = 0;
  std::from_chars(version.data(), version.data() + version.size(), out);
  return out;
}

Result<void> Store::Impl::load() {
  std::uint64_t latest = 0;
  const auto each = [&](Journal::Row row) -> Result<void> {
    for (std::size_t i = 0; i < resources::all().size(); ++i) {
      if (resourceName(*resources::all()[i]) != row.resource) continue;
      GODWIT_ASSIGN(auto object, parseJson(row.body));
      if (kube::keyOf(object) != kube::NamespacedName{row.ns, row.name}) {
        return Error{Errc::Invalid, fmt::format("{} {}/{} holds another object", row.resource, row.ns, row.name)};
      }
      latest = std::max(latest, versionOf(object));
      world->restore(i, std::make_shared<const Json>(std::move(object)));
      return {};
    }
    return Error{Errc::Invalid, fmt::format("kind {} is unknown to this version of Godwit", row.resource)};
  };
  GODWIT_ASSIGN(const auto version, journal->load(each));
  world->startAt(std::max(version, latest));  // the counter of a salvaged database may be lost
  return {};
}

Result<Object> Store::Impl::find(const kube::ResourceType& type, const kube::NamespacedName& key) const {
  auto object = world->get(indexOf(type), key);
  if (!object) return notFound(type, key.name);
  return object;
}

Result<void> Store::Impl::admit(const kube::ResourceType& type, const Json* before, Json& after) const {
  for (const auto& admission : admissions) GODWIT_TRY(admission(type, before, after));
  return {};
}

// Dependents of what is gone or going, finalizers that may be due, an owner that may be gone already.
static bool makesGarbage(const Object& before, const Json& object, bool gone) {
  if (gone || isDeleting(object)) return true;
  const Json* owners = find(object, "metadata", "ownerReferences");
  const Json* had = before ? find(*before, "metadata", "ownerReferences") : nullptr;
  return owners && (!had || *had != *owners);
}

Result<Json> Store::Impl::commit(const kube::ResourceType& type, Object before, std::optional<Json> after, Json final,
                                 Commit mode) {
  if (mode == Commit::DryRun) return after ? std::move(*after) : std::move(final);
  const auto version = world->version() + 1;
  Json& shown = after ? *after : final;
  shown["metadata"]["resourceVersion"] = std::to_string(version);
  const auto key = kube::keyOf(shown);
  if (journal)
    GODWIT_TRY(
        journal->write({resourceName(type), key.ns, key.name, after ? dumpJson(*after) : std::string()}, version));
  auto object = std::make_shared<const Json>(std::move(shown));
  const bool gone = !after;
  const bool garbageMade = makesGarbage(before, *object, gone);
  world->apply({version, indexOf(type), key, std::move(before), gone ? nullptr : object, gone ? object : nullptr});
  if (garbageMade) raiseGarbage();  // only now: a round that begins before the change is seen would miss it
  return *object;
}

Result<void> Store::Impl::checkNamespace(const kube::ResourceType& type, const Json& object) const {
  if (!type.namespaced) return {};
  const auto ns = text(object, "metadata", "namespace");
  const auto found = world->get(indexOf(resources::kNamespaces), {"", ns});
  if (!found) return notFound(resources::kNamespaces, ns);
  if (!isDeleting(*found)) return {};
  return Error{
      Errc::Forbidden,
      fmt::format("{} is forbidden: unable to create new content in namespace {} because it is being terminated",
                  quoted(type, text(object, "metadata", "name")), ns)};
}

Result<Json> Store::Impl::create(const kube::ResourceType& type, const Json& object, Commit mode) {
  constexpr int kNameAttempts = 8;
  const bool generated = text(object, "metadata", "name").empty();
  for (int attempt = 1;; ++attempt) {
    GODWIT_ASSIGN(auto fresh, asCreated(type, object, clock, random));
    GODWIT_TRY(checkNamespace(type, fresh));
    const auto key = kube::keyOf(fresh);
    if (world->get(indexOf(type), key)) {
      if (generated && attempt < kNameAttempts) continue;
      return Error{Errc::AlreadyExists, quoted(type, key.name) + " already exists"};
    }
    GODWIT_TRY(admit(type, nullptr, fresh));
    return commit(type, nullptr, std::move(fresh), {}, mode);
  }
}

Result<Json> Store::Impl::update(const kube::ResourceType& type, const kube::NamespacedName& key, const Change& change,
                                 kube::Subresource subresource, Commit mode) {
  if (subresource == kube::Subresource::Status && !type.status) {
    return Error{Errc::NotFound, fmt::format("{} have no status subresource", type.plural)};
  }
  GODWIT_ASSIGN(const auto before, find(type, key));
  Json after = *before;
  GODWIT_TRY(change(after));
  GODWIT_ASSIGN(after, asUpdated(type, *before, std::move(after), subresource));
  GODWIT_TRY(admit(type, before.get(), after));
  countGeneration(*before, after);
  return amend(type, before, std::move(after), mode);
}

Result<Json> Store::Impl::amend(const kube::ResourceType& type, const Object& before, Json after, Commit mode) {
  if (after == *before) return after;
  if (isDeleting(after) && isReleased(type, after)) return commit(type, before, std::nullopt, std::move(after), mode);
  return commit(type, before, std::move(after), {}, mode);
}

static Result<void> checkPreconditions(const kube::ResourceType& type, const Json& object,
                                       const kube::DeleteOptions& options) {
  const auto uid = text(object, "metadata", "uid"), version = text(object, "metadata", "resourceVersion");
  const auto refuse = [&](std::string_view what, std::string_view wanted, std::string_view have) {
    return Error{
        Errc::Conflict,
        fmt::format(
            "Operation cannot be fulfilled on {}: Precondition failed: {} in precondition: {}, {} in object meta: {}",
            quoted(type, text(object, "metadata", "name")), what, wanted, what, have)};
  };
  if (!options.uid.empty() && options.uid != uid) return refuse("UID", options.uid, uid);
  if (!options.resourceVersion.empty() && options.resourceVersion != version)
    return refuse("ResourceVersion", options.resourceVersion, version);
  return {};
}

// Seconds a running pod is left to its node; 0 where nothing runs.
static std::int64_t gracePeriod(const kube::ResourceType& type, const Json& object,
                                const kube::DeleteOptions& options) {
  const auto phase = text(object, "status", "phase");
  if (type.kind != "Pod" || text(object, "spec", "nodeName").empty() || phase == "Succeeded" || phase == "Failed")
    return 0;
  const auto wanted = options.gracePeriodSeconds.value_or(number(30, object, "spec", "terminationGracePeriodSeconds"));
  if (!isDeleting(object)) return std::max<std::int64_t>(wanted, 0);
  return std::clamp<std::int64_t>(wanted, 0, number(wanted, object, "metadata", "deletionGracePeriodSeconds"));
}

static void setPropagation(Json& metadata, kube::DeleteOptions::Propagation propagation) {
  using P = kube::DeleteOptions::Propagation;
  Json kept = Json::array();
  if (const Json* old = find(metadata, "finalizers"); old && old->is_array()) {
    for (const auto& f : *old) {
      if (f != "foregroundDeletion" && f != "orphan") kept.push_back(f);
    }
  }
  if (propagation == P::Foreground) kept.push_back("foregroundDeletion");
  if (propagation == P::Orphan) kept.push_back("orphan");
  if (kept.empty()) {
    metadata.erase("finalizers");
  } else {
    metadata["finalizers"] = std::move(kept);
  }
}

Result<Json> Store::Impl::remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                                 const kube::DeleteOptions& options, Commit mode) {
  GODWIT_ASSIGN(const auto before, find(type, key));
  GODWIT_TRY(checkPreconditions(type, *before, options));
  if (type.kind == "Namespace" && (key.name == "default" || key.name == "kube-system")) {
    return Error{Errc::Forbidden, quoted(type, key.name) + " is forbidden: this namespace may not be deleted"};
  }
  if (type.kind == "CustomResourceDefinition") {
    return Error{Errc::Forbidden,
                 quoted(type, key.name) + " is forbidden: the kind is part of this server; delete its objects instead"};
  }
  Json after = *before;
  Json& metadata = after["metadata"];
  const bool again = isDeleting(*before) && options.propagation == kube::DeleteOptions::Propagation::Background;
  if (type.kind != "Namespace" && !again) setPropagation(metadata, options.propagation);
  const auto grace = gracePeriod(type, *before, options);
  if (!isDeleting(*before)) metadata["deletionTimestamp"] = api::formatTime(clock.now() + std::chrono::seconds(grace));
  metadata["deletionGracePeriodSeconds"] = grace;
  if (type.kind == "Namespace") after["status"]["phase"] = "Terminating";
  return amend(type, before, std::move(after), mode);
}

}  // namespace godwit::standalone
