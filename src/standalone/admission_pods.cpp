// Pods, and Jobs that make them.
#include <fmt/core.h>

#include <set>

#include "standalone/admission.h"

namespace godwit::standalone {

namespace {

// Named items of a list, each name once. `path` is the list's field.
Result<std::set<std::string>> uniqueNames(const Admitted& a, const std::string& path, const Json* list) {
  std::set<std::string> out;
  if (!list || list->is_null()) return out;
  if (!list->is_array()) return a.refuse(path, "must be a list");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto name = text((*list)[i], "name");
    const auto field = fmt::format("{}[{}].name", path, i);
    if (name.empty()) return a.required(field);
    if (!out.insert(name).second) return a.refuse(field, fmt::format("Duplicate value: \"{}\"", name));
  }
  return out;
}

Result<void> checkMounts(const Admitted& a, const std::string& path, const Json& container,
                         const std::set<std::string>& volumes) {
  for (const char* kind : {"volumeMounts", "volumeDevices"}) {
    const Json* mounts = find(container, kind);
    if (!mounts || !mounts->is_array()) continue;
    for (std::size_t i = 0; i < mounts->size(); ++i) {
      const auto field = fmt::format("{}.{}[{}]", path, kind, i);
      const auto name = text((*mounts)[i], "name");
      if (!volumes.contains(name)) return a.refuse(field + ".name", fmt::format("Not found: \"{}\"", name));
      const bool mount = std::string_view(kind) == "volumeMounts";
      if (text((*mounts)[i], mount ? "mountPath" : "devicePath").empty())
        return a.required(field + (mount ? ".mountPath" : ".devicePath"));
    }
  }
  return {};
}

Result<void> admitPodSpec(const Admitted& a, const std::string& path, Json& spec, const char* restartPolicy) {
  GODWIT_ASSIGN(const auto volumes, uniqueNames(a, path + ".volumes", find(spec, "volumes")));
  GODWIT_ASSIGN(const auto containers, uniqueNames(a, path + ".containers", find(spec, "containers")));
  if (containers.empty()) return a.required(path + ".containers");
  std::size_t i = 0;
  for (auto& container : spec["containers"]) {
    const auto field = fmt::format("{}.containers[{}]", path, i++);
    if (text(container, "image").empty()) return a.required(field + ".image");
    GODWIT_TRY(checkMounts(a, field, container, volumes));
    defaultTo(container, "terminationMessagePath", "/dev/termination-log");
    defaultTo(container, "terminationMessagePolicy", "File");
    defaultTo(container, "imagePullPolicy", "IfNotPresent");
  }
  defaultTo(spec, "restartPolicy", restartPolicy);
  defaultTo(spec, "terminationGracePeriodSeconds", 30);
  return {};
}

// What of a pod's spec may change: where it runs, once; its images; how long it may.
Json fixedPart(const Json& spec, bool placed) {
  Json out = spec;
  for (const char* free : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"})
    out.erase(free);
  if (!placed) out.erase("nodeName");
  if (const auto it = out.find("containers"); it != out.end() && it->is_array()) {
    for (auto& container : *it) {
      if (container.is_object()) container.erase("image");
    }
  }
  return out;
}

void labelTemplate(const Admitted& a, Json& spec) {
  const auto uid = text(a.after, "metadata", "uid");
  Json& labels = spec["template"]["metadata"]["labels"];
  if (!labels.is_object()) labels = Json::object();
  for (const char* prefix : {"", "batch.kubernetes.io/"}) {
    labels[std::string(prefix) + "controller-uid"] = uid;
    labels[std::string(prefix) + "job-name"] = a.name();
  }
  spec["selector"] = {{"matchLabels", {{"batch.kubernetes.io/controller-uid", uid}}}};
}

}  // namespace

Result<void> admitPod(const Admitted& a) {
  GODWIT_ASSIGN(Json * spec, a.spec());
  GODWIT_TRY(admitPodSpec(a, "spec", *spec, "Always"));
  if (!a.before) return {};
  const Json& was = a.before->at("spec");
  const bool placed = !text(was, "nodeName").empty();
  if (fixedPart(was, placed) == fixedPart(*spec, placed)) return {};
  return a.refuse("spec",
                  "Forbidden: pod updates may not change fields other than spec.containers[*].image, "
                  "spec.activeDeadlineSeconds, spec.tolerations, spec.terminationGracePeriodSeconds");
}

Result<void> admitJob(const Admitted& a) {
  GODWIT_ASSIGN(Json * spec, a.spec());
  Json* podSpec = find(*spec, "template", "spec") ? &(*spec)["template"]["spec"] : nullptr;
  if (!podSpec || !podSpec->is_object()) return a.required("spec.template.spec");
  GODWIT_TRY(admitPodSpec(a, "spec.template.spec", *podSpec, "Always"));
  const auto policy = text(*podSpec, "restartPolicy");
  if (policy != "Never" && policy != "OnFailure") {
    return a.refuse("spec.template.spec.restartPolicy",
                    fmt::format("Required value: valid values: \"OnFailure\", \"Never\" (it is \"{}\")", policy));
  }
  for (const char* count : {"parallelism", "completions", "backoffLimit"}) {
    const Json* given = find(*spec, count);
    if (given && !given->is_null() && (!given->is_number_integer() || given->get<std::int64_t>() < 0)) {
      return a.refuse(fmt::format("spec.{}", count), "Invalid value: must be greater than or equal to 0");
    }
  }
  if (!find(*spec, "completions") && !find(*spec, "parallelism")) (*spec)["completions"] = 1;
  defaultTo(*spec, "parallelism", 1);
  defaultTo(*spec, "backoffLimit", 6);
  defaultTo(*spec, "completionMode", "NonIndexed");
  defaultTo(*spec, "suspend", false);
  if (!a.before) {
    labelTemplate(a, *spec);
    return {};
  }
  for (const char* key : {"template", "selector", "completions", "completionMode"})
    GODWIT_TRY(keepField(a, a.before->at("spec"), *spec, "spec", key));
  return {};
}

}  // namespace godwit::standalone
