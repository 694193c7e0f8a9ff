#include "standalone/rest_options.h"

#include <fmt/core.h>

namespace godwit::standalone {

namespace {

Error refusal(const char* field, std::string_view why) {
  return {Errc::Invalid, fmt::format("ListOptions.meta.k8s.io \"\" is invalid: {0}: Forbidden: {0} {1}", field, why)};
}

// resourceVersionMatch of a list.
Result<void> checkMatch(const RestContext& c, std::uint64_t version) {
  const auto match = param(c.request, "resourceVersionMatch");
  if (match.empty()) return {};
  constexpr const char* kField = "resourceVersionMatch";
  if (param(c.request, "resourceVersion").empty())
    return refusal(kField, "is forbidden unless resourceVersion is provided");
  if (!param(c.request, "continue").empty()) return refusal(kField, "is forbidden when continue is provided");
  if (match == "NotOlderThan") return {};
  if (match != "Exact") {
    return Error{
        Errc::Invalid,
        fmt::format("{}: Unsupported value: \"{}\": supported values: \"Exact\", \"NotOlderThan\"", kField, match)};
  }
  if (version == 0) return refusal(kField, "\"Exact\" is forbidden for resourceVersion \"0\"");
  if (std::to_string(version) == c.store.resourceVersion()) return {};
  return Error{Errc::Gone, "The resourceVersion for the provided list is too old."};
}

}  // namespace

Result<std::int64_t> wholeParam(const http::Request& request, const std::string& name, std::int64_t otherwise) {
  const auto value = param(request, name);
  if (value.empty()) return otherwise;
  if (value.size() > 9 || value.find_first_not_of("0123456789") != value.npos) {
    return Error{Errc::Invalid, fmt::format("{}: Invalid value: \"{}\": must be a whole number", name, value)};
  }
  return std::stoll(value);
}

Result<std::uint64_t> checkVersion(const RestContext& c) {
  const auto given = param(c.request, "resourceVersion");
  if (given.empty()) return std::uint64_t{0};
  if (given.size() > 18 || given.find_first_not_of("0123456789") != given.npos)
    return Error{Errc::Invalid,
                 fmt::format("resourceVersion: Invalid value: \"{}\": must be one that this server gave", given)};
  const auto version = std::stoull(given);
  if (version > std::stoull(c.store.resourceVersion()))
    return Error{Errc::Timeout,
                 fmt::format("Too large resource version: {}, current: {}", given, c.store.resourceVersion())};
  return version;
}

Result<kube::ListOptions> listOptions(const RestContext& c) {
  const auto& r = c.request;
  if (!param(r, "sendInitialEvents").empty()) return refusal("sendInitialEvents", "is forbidden for list");
  GODWIT_ASSIGN(const auto version, checkVersion(c));
  GODWIT_TRY(checkMatch(c, version));
  GODWIT_ASSIGN(const auto limit, wholeParam(r, "limit", 0));
  return kube::ListOptions{c.target.ns, param(r, "labelSelector"), param(r, "fieldSelector"), static_cast<int>(limit),
                           param(r, "continue")};
}

Result<kube::WatchOptions> watchOptions(const RestContext& c) {
  const auto& r = c.request;
  if (!param(r, "sendInitialEvents").empty())
    return refusal("sendInitialEvents", "is forbidden for watch unless the WatchList feature gate is enabled");
  if (!param(r, "resourceVersionMatch").empty())
    return refusal("resourceVersionMatch", "is forbidden for watch unless sendInitialEvents is provided");
  kube::WatchOptions out{c.target.ns, param(r, "labelSelector"), param(r, "fieldSelector"), param(r, "resourceVersion"),
                         flag(r, "allowWatchBookmarks")};
  if (!c.target.name.empty())
    out.fieldSelector += (out.fieldSelector.empty() ? "" : ",") + ("metadata.name=" + c.target.name);
  return out;
}

}  // namespace godwit::standalone
