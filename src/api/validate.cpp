// What a controller refuses although the CRD's schema lets it pass: each refusal names the field and the remedy.
#include <fmt/format.h>

#include "api/address.h"
#include "api/cron.h"
#include "api/dns_names.h"
#include "api/quantity.h"
#include "api/replication.h"

namespace godwit::api {

namespace {

constexpr std::size_t kLongestPath = 4096;  // PATH_MAX

bool isOneOf(std::string_view text, std::initializer_list<std::string_view> choices) {
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

// "/a/../b" would stay inside, unless "a" is a link: movers, which cannot know, refuse every "..".
bool climbs(std::string_view path) {
  for (std::size_t from = 0; from <= path.size();) {
    const auto part = path.substr(from, path.find('/', from) - from);
    if (part == "..") return true;
    from += part.size() + 1;
  }
  return false;
}

class Checker {
 public:
  explicit Checker(const Replication& object) : object_(object) {}

  std::vector<FieldError> run() {
    const ReplicationSpec& spec = object_.spec;
    if (spec.external && !spec.rsync && spec.foreignMovers.empty()) return {};  // not ours
    if (object_.role == Role::Source) name("spec.sourcePVC", spec.sourcePVC, "the PersistentVolumeClaim to replicate");
    trigger();
    method();
    if (spec.rsync) rsync(*spec.rsync);
    return std::move(errors_);
  }

 private:
  void fail(std::string field, std::string message) { errors_.push_back({std::move(field), std::move(message)}); }

  void name(const std::string& field, const std::string& value, std::string_view what) {
    if (value.empty())
      fail(field, fmt::format("missing: name {}", what));
    else if (!isDnsSubdomain(value))
      fail(field, "not a name: lower-case letters, digits, '-' and '.', at most 253 characters");
  }

  void optionalName(const std::string& field, const std::optional<std::string>& value, std::string_view what) {
    if (value) name(field, *value, what);
  }

  void trigger() {
    const auto& trigger = object_.spec.trigger;
    if (!trigger || !trigger->schedule || trigger->manual) return;  // manual wins: the schedule is not looked at
    const auto parsed = CronSchedule::parse(*trigger->schedule);
    if (!parsed) fail("spec.trigger.schedule", parsed.error().message);
  }

  void method() {
    const ReplicationSpec& spec = object_.spec;
    std::vector<std::string> methods = spec.foreignMovers;
    if (spec.external) methods.insert(methods.begin(), "external");
    if (spec.rsync) methods.insert(methods.begin(), "rsync");
    if (methods.empty()) return fail("spec", "no replication method: give spec.rsync");
    if (methods.size() > 1)
      return fail("spec", fmt::format("several replication methods ({}): keep one", fmt::join(methods, ", ")));
    if (!spec.rsync)
      fail("spec." + methods[0],
           fmt::format("Godwit replicates with rsync only: use spec.rsync, or leave this object to the "
                       "controller that serves {} (--foreign-movers=ignore)",
                       methods[0]));
  }

  void rsync(const RsyncSpec& rsync) {
    copyMethod(rsync);
    volume(rsync);
    optionalName("spec.rsync.sshKeys", rsync.sshKeys, "the Secret, or leave the field out to have keys made");
    if (rsync.serviceType && !isOneOf(*rsync.serviceType, {"ClusterIP", "LoadBalancer", "NodePort"}))
      fail("spec.rsync.serviceType", "expected ClusterIP, LoadBalancer or NodePort");
    remoteEnd(rsync);
    optionalName("spec.rsync.moverServiceAccount", rsync.moverServiceAccount,
                 "the ServiceAccount, or leave the field out");
    for (const auto& [key, value] : rsync.moverPodLabels)
      if (!isQualifiedName(key) || !isLabelValue(value))
        fail("spec.rsync.moverPodLabels." + key, "not a label: letters, digits, '-', '_' and '.', at most 63");
    resources(rsync.moverResources);
  }

  void copyMethod(const RsyncSpec& rsync) {
    const bool source = object_.role == Role::Source;
    const char* choices = source ? "Clone, Snapshot or Direct" : "Snapshot or Direct";
    const std::string field = "spec.rsync.copyMethod";
    if (!rsync.copyMethod) return fail(field, fmt::format("missing: choose {}", choices));
    const bool known =
        isOneOf(*rsync.copyMethod, {"Snapshot", "Direct", "None"}) || (source && rsync.copyMethod == "Clone");
    if (!known) fail(field, fmt::format("expected {}", choices));
  }

  void volume(const RsyncSpec& rsync) {
    if (rsync.capacity) capacity(*rsync.capacity);
    if (const auto& sc = rsync.storageClassName; sc && !sc->empty()) name("spec.rsync.storageClassName", *sc, "");
    for (std::size_t i = 0; i < rsync.accessModes.size(); ++i)
      if (!isOneOf(rsync.accessModes[i], {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"}))
        fail(fmt::format("spec.rsync.accessModes[{}]", i),
             "expected ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod");
    if (const auto& vsc = rsync.volumeSnapshotClassName; vsc && !vsc->empty())
      name("spec.rsync.volumeSnapshotClassName", *vsc, "");
    if (rsync.volumeMode && !isOneOf(*rsync.volumeMode, {"Filesystem", "Block"}))
      fail("spec.rsync.volumeMode", "expected Filesystem or Block");
    if (object_.role == Role::Source) return;
    optionalName("spec.rsync.destinationPVC", rsync.destinationPVC,
                 "the volume, or leave the field out and give capacity and accessModes");
    if (rsync.destinationPVC) return;
    if (!rsync.capacity) fail("spec.rsync.capacity", "missing: give capacity and accessModes, or destinationPVC");
    if (rsync.accessModes.empty())
      fail("spec.rsync.accessModes", "missing: give capacity and accessModes, or destinationPVC");
  }

  void capacity(const std::string& text) {
    const auto bytes = parseBytes(text);
    if (!bytes)
      fail("spec.rsync.capacity", bytes.error().message);
    else if (*bytes == 0)
      fail("spec.rsync.capacity", "zero: give the volume's size, as 10Gi");
  }

  void remoteEnd(const RsyncSpec& rsync) {
    if (rsync.address) {
      if (const auto problem = addressProblem(*rsync.address)) fail("spec.rsync.address", *problem);
    }
    if (rsync.port && (*rsync.port < 1 || *rsync.port > 65535)) fail("spec.rsync.port", "expected 1 to 65535");
    if (rsync.path) path(*rsync.path);
    if (rsync.sshUser) {
      if (const auto problem = userProblem(*rsync.sshUser)) fail("spec.rsync.sshUser", *problem);
    }
  }

  void path(const std::string& path) {
    const std::string field = "spec.rsync.path";
    if (path.empty())
      fail(field, "empty: write / for the whole volume, or leave the field out");
    else if (path.size() > kLongestPath)
      fail(field, fmt::format("longer than {} bytes", kLongestPath));
    else if (path.find('\0') != path.npos)
      fail(field, "holds a NUL character: remove it");
    else if (climbs(path))
      fail(field, "holds '..', which may lead out of the volume: write the path without it");
  }

  void resources(const Json& resources) {
    for (const char* kind : {"limits", "requests"}) {
      const Json* map = find(resources, kind);
      if (!map || !map->is_object()) continue;
      for (const auto& [key, value] : map->items()) {
        const auto parsed = parseBytes(value.is_string() ? value.get<std::string>() : dumpJson(value));
        if (!parsed) fail(fmt::format("spec.rsync.moverResources.{}.{}", kind, key), parsed.error().message);
      }
    }
  }

  const Replication& object_;
  std::vector<FieldError> errors_;
};

}  // namespace

std::vector<FieldError> validate(const Replication& object) {
  return Checker(object).run();
}

}  // namespace godwit::api
