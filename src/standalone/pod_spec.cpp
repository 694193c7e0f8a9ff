#include "standalone/pod_spec.h"

#include <map>

#include "api/core.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

namespace r = kube::resources;
constexpr const char* kConfigError = "CreateContainerConfigError";

// Everything a Secret or ConfigMap holds, decoded.
using Data = std::map<std::string, std::string>;

class Resolver {
 public:
  Resolver(Cluster& cluster, const Json& pod, const std::string& hostAddress)
      : cluster_(cluster), pod_(pod), ns_(text(pod, "metadata", "namespace")), hostAddress_(hostAddress) {}

  Result<std::variant<ContainerSpec, Waiting>> run() {
    const auto& containers = elements(find(pod_, "spec", "containers"));
    if (containers.empty()) return Error{Errc::Invalid, "spec.containers: at least one is required"};
    const Json& container = containers.front();
    ContainerSpec spec;
    spec.pod = ns_ + "/" + text(pod_, "metadata", "name") + "/" + uidOf(pod_);
    if (containers.size() > 1 || !elements(find(pod_, "spec", "initContainers")).empty()) {
      wait(kConfigError,
           "this node runs one container in a pod: spec.containers must hold one, spec.initContainers none");
    }
    if (const auto policy = text(pod_, "spec", "restartPolicy"); policy != "Never") {
      wait(kConfigError,
           fmt::format("this node restarts no container: spec.restartPolicy must be Never (it is {})", policy));
    }
    GODWIT_TRY(readWholeObjects(container, spec));
    GODWIT_TRY(readEnvironment(container, spec));
    GODWIT_TRY(readMounts(container, spec));
    readCommand(container, spec);
    if (waiting_) return std::variant<ContainerSpec, Waiting>(*waiting_);
    return std::variant<ContainerSpec, Waiting>(std::move(spec));
  }

 private:
  void wait(std::string reason, std::string message) {
    if (!waiting_) waiting_ = Waiting{std::move(reason), std::move(message)};
  }

  // $(NAME) in command, args and values stands for an earlier variable, as in Kubernetes; $$ escapes.
  static std::string expand(const std::string& in, const ContainerSpec& spec) {
    std::string out;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const auto end = in.compare(i, 2, "$(") == 0 ? in.find(')', i) : std::string::npos;
      if (in.compare(i, 2, "$$") == 0) {
        out += '$';
        ++i;
        continue;
      }
      if (end == std::string::npos) {
        out += in[i];
        continue;
      }
      const auto name = in.substr(i + 2, end - i - 2);
      const auto it = std::find_if(spec.env.begin(), spec.env.end(), [&](const auto& e) { return e.first == name; });
      out += it == spec.env.end() ? in.substr(i, end - i + 1) : it->second;
      i = end;
    }
    return out;
  }

  void readCommand(const Json& container, ContainerSpec& spec) {
    for (const char* member : {"command", "args"}) {
      for (const auto& word : elements(find(container, member))) {
        if (word.is_string()) spec.command.push_back(expand(word.get<std::string>(), spec));
      }
    }
    if (spec.command.empty()) {
      wait(kConfigError, "no command: images are not run here, spec.containers[0].command must say what is to run");
    }
  }

  Result<std::optional<Data>> load(const kube::ResourceType& type, const std::string& name) {
    GODWIT_ASSIGN(const auto object, cluster_.fresh(type, {ns_, name}));
    if (!object) return std::optional<Data>();
    Data data;
    if (&type == &r::kSecrets) {
      data = api::secretFromJson(*object).data;
    } else if (const auto* values = find(*object, "data"); values && values->is_object()) {
      for (const auto& [key, value] : values->items()) {
        if (value.is_string()) data[key] = value.get<std::string>();
      }
    }
    return std::optional(std::move(data));
  }

  static const char* wordFor(const kube::ResourceType& type) { return &type == &r::kSecrets ? "secret" : "configmap"; }

  // Of a name that comes twice the later value counts.
  static void set(ContainerSpec& spec, const std::string& name, std::string value) {
    std::erase_if(spec.env, [&](const auto& earlier) { return earlier.first == name; });
    spec.env.emplace_back(name, std::move(value));
  }

  // envFrom: every key of a Secret or ConfigMap.
  Result<void> readWholeObjects(const Json& container, ContainerSpec& spec) {
    for (const auto& source : elements(find(container, "envFrom"))) {
      const auto* secret = find(source, "secretRef");
      const auto* map = find(source, "configMapRef");
      const auto& type = secret ? r::kSecrets : r::kConfigMaps;
      const Json& reference = secret ? *secret : map ? *map : source;
      GODWIT_ASSIGN(const auto data, load(type, text(reference, "name")));
      if (!data && !truth(reference, "optional")) {
        wait(kConfigError, fmt::format("{} \"{}\" not found", wordFor(type), text(reference, "name")));
      }
      for (const auto& [key, value] : data.value_or(Data())) set(spec, text(source, "prefix") + key, value);
    }
    return {};
  }

  Result<void> readEnvironment(const Json& container, ContainerSpec& spec) {
    for (const auto& variable : elements(find(container, "env"))) {
      const auto name = text(variable, "name");
      const auto* from = find(variable, "valueFrom");
      if (!from) {
        set(spec, name, expand(text(variable, "value"), spec));
      } else if (const auto* field = find(*from, "fieldRef")) {
        set(spec, name, fieldValue(text(*field, "fieldPath")));
      } else if (const auto* secret = find(*from, "secretKeyRef")) {
        GODWIT_TRY(fromKey(r::kSecrets, *secret, name, spec));
      } else if (const auto* map = find(*from, "configMapKeyRef")) {
        GODWIT_TRY(fromKey(r::kConfigMaps, *map, name, spec));
      }
    }
    return {};
  }

  Result<void> fromKey(const kube::ResourceType& type, const Json& reference, const std::string& variable,
                       ContainerSpec& spec) {
    const auto name = text(reference, "name"), key = text(reference, "key");
    GODWIT_ASSIGN(const auto data, load(type, name));
    if (data && data->contains(key)) {
      set(spec, variable, data->at(key));
    } else if (!truth(reference, "optional")) {
      wait(kConfigError, data ? fmt::format("couldn't find key {} in {} {}/{}", key, wordFor(type), ns_, name)
                              : fmt::format("{} \"{}\" not found", wordFor(type), name));
    }
    return {};
  }

  std::string fieldValue(const std::string& path) const {
    if (path == "metadata.name") return text(pod_, "metadata", "name");
    if (path == "metadata.namespace") return ns_;
    if (path == "metadata.uid") return uidOf(pod_);
    if (path == "spec.nodeName") return text(pod_, "spec", "nodeName");
    if (path == "spec.serviceAccountName") return text(pod_, "spec", "serviceAccountName");
    if (path == "status.hostIP" || path == "status.podIP") return hostAddress_;
    return {};
  }

  const Json* volume(const std::string& name) const {
    for (const auto& candidate : elements(find(pod_, "spec", "volumes"))) {
      if (text(candidate, "name") == name) return &candidate;
    }
    return nullptr;
  }

  Result<void> readMounts(const Json& container, ContainerSpec& spec) {
    for (const auto& wanted : elements(find(container, "volumeMounts"))) {
      Mount mount;
      mount.target = text(wanted, "mountPath");
      mount.readOnly = truth(wanted, "readOnly");
      const auto* source = volume(text(wanted, "name"));
      if (!source) {
        wait(kConfigError, fmt::format("volumeMounts: there is no volume named \"{}\"", text(wanted, "name")));
        continue;
      }
      for (const char* member : {"subPath", "subPathExpr"}) {
        if (!text(wanted, member).empty())
          wait(kConfigError, fmt::format("volumeMounts: this node has no {}; mount the whole volume", member));
      }
      GODWIT_TRY(fill(*source, mount));
      spec.mounts.push_back(std::move(mount));
    }
    return {};
  }

  Result<void> fill(const Json& source, Mount& mount) {
    if (const auto* claim = find(source, "persistentVolumeClaim")) {
      fillClaim(*claim, mount);
    } else if (const auto* secret = find(source, "secret")) {
      return fillFiles(r::kSecrets, text(*secret, "secretName"), *secret, mount);
    } else if (const auto* map = find(source, "configMap")) {
      return fillFiles(r::kConfigMaps, text(*map, "name"), *map, mount);
    } else if (!find(source, "emptyDir")) {
      wait(kConfigError,
           fmt::format("volume \"{}\": this node knows persistentVolumeClaim, secret, configMap and emptyDir",
                       text(source, "name")));
    }
    return {};
  }

  void fillClaim(const Json& claim, Mount& mount) {
    const auto name = text(claim, "claimName");
    const auto pvc = cluster_.get(r::kPersistentVolumeClaims, {ns_, name});
    if (!pvc) return wait("ContainerCreating", fmt::format("persistentvolumeclaim \"{}\" not found", name));
    const auto path = claimPath(cluster_, *pvc);
    if (!path) return wait("ContainerCreating", fmt::format("persistentvolumeclaim \"{}\" is not bound", name));
    mount.source = *path;
    mount.readOnly = mount.readOnly || truth(claim, "readOnly");
  }

  Result<void> fillFiles(const kube::ResourceType& type, const std::string& name, const Json& source, Mount& mount) {
    mount.readOnly = true;
    GODWIT_ASSIGN(const auto data, load(type, name));
    if (!data) {
      if (!truth(source, "optional")) wait(kConfigError, fmt::format("{} \"{}\" not found", wordFor(type), name));
      return {};
    }
    const auto mode = static_cast<unsigned>(number(0644, source, "defaultMode")) & 0777;
    const auto* items = find(source, "items");
    if (!items || !items->is_array()) {
      for (const auto& [key, value] : *data) mount.files.push_back({key, value, mode});
      return {};
    }
    for (const auto& item : *items) {
      const auto key = text(item, "key"), path = text(item, "path");
      if (path.empty() || path.find('/') != std::string::npos || path.starts_with("..")) {
        wait(kConfigError,
             fmt::format("{} \"{}\": items[].path \"{}\" must be a plain file name", wordFor(type), name, path));
      } else if (data->contains(key)) {
        mount.files.push_back({path, data->at(key), static_cast<unsigned>(number(mode, item, "mode")) & 0777});
      } else if (!truth(source, "optional")) {
        wait(kConfigError, fmt::format("{} \"{}\" has no key \"{}\"", wordFor(type), name, key));
      }
    }
    return {};
  }

  Cluster& cluster_;
  const Json& pod_;
  std::string ns_;
  const std::string& hostAddress_;
  std::optional<Waiting> waiting_;
};

}  // namespace

Result<std::variant<ContainerSpec, Waiting>> resolvePod(Cluster& cluster, const Json& pod,
                                                        const std::string& hostAddress) {
  return Resolver(cluster, pod, hostAddress).run();
}

std::string volumePathOf(const Json& volume) {
  const auto local = text(volume, "spec", "local", "path");
  return local.empty() ? text(volume, "spec", "hostPath", "path") : local;
}

std::optional<std::string> claimPath(const Cluster& cluster, const Json& pvc) {
  if (text(pvc, "status", "phase") != "Bound") return std::nullopt;
  const auto volume = cluster.get(r::kPersistentVolumes, {"", text(pvc, "spec", "volumeName")});
  if (!volume) return std::nullopt;
  auto path = volumePathOf(*volume);
  if (path.empty()) return std::nullopt;
  return path;
}

}  // namespace godwit::standalone
