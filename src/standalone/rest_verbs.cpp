#include "standalone/rest_verbs.h"

#include <fmt/core.h>

#include "api/schema.h"
#include "standalone/field_schema.h"
#include "standalone/rest_body.h"
#include "standalone/rest_options.h"
#include "standalone/rest_patch.h"
#include "standalone/rest_table.h"

namespace godwit::standalone {

namespace {

// A wrong request is 400; a well-formed one for an object that may not be so is 422.
RestReply badRequest(const Error& error, const RestTarget& target = {}) {
  return errorReply(error, target, error.code == Errc::Invalid ? 400 : 0);
}

kube::Subresource subresourceOf(const RestContext& c) {
  return c.target.subresource == "status" ? kube::Subresource::Status : kube::Subresource::None;
}

// Name and namespace of the URL are put into a body without them; a body with others is refused.
Result<void> placeBody(const RestContext& c, Json& object) {
  if (!object.is_object()) return Error{Errc::Invalid, "the object must be a JSON object"};
  Json& metadata = object["metadata"];
  if (metadata.is_null()) metadata = Json::object();
  if (!metadata.is_object()) return Error{Errc::Invalid, "metadata: must be an object"};
  const auto ns = text(metadata, "namespace"), name = text(metadata, "name");
  if (c.target.type->namespaced && !ns.empty() && ns != c.target.ns) {
    return Error{Errc::Invalid,
                 "the namespace of the provided object does not match the namespace sent on the request"};
  }
  if (c.target.type->namespaced) metadata["namespace"] = c.target.ns;
  if (c.target.name.empty()) return {};
  if (!name.empty() && name != c.target.name) {
    return Error{Errc::Invalid, fmt::format("the name of the object ({}) does not match the name on the URL ({})", name,
                                            c.target.name)};
  }
  metadata["name"] = c.target.name;
  return {};
}

struct Submitted {
  Json object;
  Store::Commit commit = Store::Commit::Write;
  std::vector<std::string> warnings;
};

// Everything that can be wrong with a request to write before the store is asked.
Result<Submitted> submitted(const RestContext& c) {
  Submitted out;
  GODWIT_ASSIGN(out.commit, commitOf(c.request));
  GODWIT_ASSIGN(out.object, bodyOf(c.request));
  GODWIT_TRY(placeBody(c, out.object));
  GODWIT_ASSIGN(out.warnings, screenFields(c.request, *c.target.type, out.object));
  return out;
}

RestReply written(const RestContext& c, const Result<Json>& outcome, const std::vector<std::string>& warnings,
                  int status) {
  auto reply = outcome.ok() ? shown(c, *outcome, status) : errorReply(outcome.error(), c.target);
  addWarnings(reply, warnings);
  return reply;
}

}  // namespace

RestReply readOne(const RestContext& c) {
  if (const auto fresh = checkVersion(c); !fresh.ok()) return badRequest(fresh.error(), c.target);
  const auto object = c.store.get(*c.target.type, c.key());
  return object.ok() ? shown(c, *object) : errorReply(object.error(), c.target);
}

RestReply readMany(const RestContext& c) {
  const auto view = viewOf(c.request);
  if (!view.ok()) return errorReply(view.error(), c.target, 406);
  const auto options = listOptions(c);
  if (!options.ok()) return badRequest(options.error());
  auto list = c.store.list(*c.target.type, *options);
  if (!list.ok()) return badRequest(list.error(), c.target);
  Json metadata{{"resourceVersion", list->resourceVersion}};
  if (!list->continueToken.empty()) metadata["continue"] = list->continueToken;
  if (view->table) {
    return jsonReply(table(*c.target.type, list->items, std::move(metadata), view->include, c.clock.now()));
  }
  Json out{{"kind", std::string(c.target.type->kind) + "List"},
           {"apiVersion", c.target.type->apiVersion()},
           {"metadata", std::move(metadata)}};
  out["items"] = std::move(list->items);
  return jsonReply(out);
}

RestReply createOne(const RestContext& c) {
  if (c.target.type->namespaced && c.target.ns.empty())
    return badRequest({Errc::Invalid, "an object of this kind is created in a namespace"});
  auto request = submitted(c);
  if (!request.ok()) return badRequest(request.error(), c.target);
  RestContext named = c;
  named.target.name = text(request->object, "metadata", "name");
  return written(named, c.store.create(*c.target.type, request->object, request->commit), request->warnings, 201);
}

RestReply replaceOne(const RestContext& c) {
  auto request = submitted(c);
  if (!request.ok()) return badRequest(request.error(), c.target);
  const auto change = [&](Json& object) -> Result<void> {
    const auto version = text(object, "metadata", "resourceVersion");
    object = request->object;
    // Without a version of its own the write is unconditional, as for most kinds of a real server.
    if (text(object, "metadata", "resourceVersion").empty()) object["metadata"]["resourceVersion"] = version;
    return {};
  };
  return written(c, c.store.modify(*c.target.type, c.key(), change, subresourceOf(c), request->commit),
                 request->warnings, 200);
}

RestReply patchOne(const RestContext& c) {
  const auto commit = commitOf(c.request);
  if (!commit.ok()) return badRequest(commit.error(), c.target);
  const auto apply = patchOf(c);
  if (!apply.ok()) return badRequest(apply.error(), c.target);
  std::vector<std::string> warnings;
  std::optional<Error> strict;
  const auto change = [&](Json& object) -> Result<void> {
    GODWIT_TRY((*apply)(object));
    auto found = screenFields(c.request, *c.target.type, object);
    if (!found.ok()) return Error(*(strict = found.error()));
    warnings = std::move(*found);
    return {};
  };
  const auto outcome = c.store.modify(*c.target.type, c.key(), change, subresourceOf(c), *commit);
  if (strict) return badRequest(*strict, c.target);
  return written(c, outcome, warnings, 200);
}

namespace {

struct Removal {
  kube::DeleteOptions options;
  Store::Commit commit = Store::Commit::Write;
};

Result<std::optional<std::int64_t>> graceOf(const RestContext& c, const Json& body) {
  const auto parameter = param(c.request, "gracePeriodSeconds");
  if (!parameter.empty()) {
    if (parameter.size() > 9 || parameter.find_first_not_of("0123456789") != parameter.npos) {
      return Error{Errc::Invalid,
                   fmt::format("gracePeriodSeconds: Invalid value: \"{}\": must be a number of seconds", parameter)};
    }
    return std::optional<std::int64_t>(std::stoll(parameter));
  }
  const Json* given = find(body, "gracePeriodSeconds");
  if (!given || given->is_null()) return std::optional<std::int64_t>();
  if (!given->is_number_integer() || given->get<std::int64_t>() < 0)
    return Error{Errc::Invalid, "gracePeriodSeconds: must be a number of seconds, 0 or more"};
  return std::optional<std::int64_t>(given->get<std::int64_t>());
}

Result<kube::DeleteOptions::Propagation> propagationOf(const RestContext& c, const Json& body) {
  using P = kube::DeleteOptions::Propagation;
  auto policy = param(c.request, "propagationPolicy");
  if (policy.empty()) policy = text(body, "propagationPolicy");
  if (policy.empty() && truth(body, "orphanDependents")) policy = "Orphan";
  if (policy.empty() || policy == "Background") return P::Background;
  if (policy == "Foreground") return P::Foreground;
  if (policy == "Orphan") return P::Orphan;
  return Error{
      Errc::Invalid,
      fmt::format(
          "propagationPolicy: Unsupported value: \"{}\": supported values: \"Background\", \"Foreground\", \"Orphan\"",
          policy)};
}

// A field of a wrong type must not read as absent: what was meant to hold a deletion back would let it through.
Result<void> checkDeleteOptions(const Json& body) {
  if (!body.is_object()) return Error{Errc::Invalid, "the delete options must be a JSON object"};
  for (const auto& error : api::validateSchema(deleteOptionsSchema(), body))
    return Error{Errc::Invalid, fmt::format("delete options: {}: {}", error.field, error.message)};
  const Json* dryRun = find(body, "dryRun");
  if (!dryRun || dryRun->empty() || *dryRun == Json::array({"All"})) return {};
  return Error{Errc::Invalid,
               fmt::format("dryRun: Unsupported value: {}: supported values: \"All\"", dumpJson(*dryRun))};
}

Result<Removal> removalOf(const RestContext& c) {
  Removal out;
  GODWIT_ASSIGN(const auto body, bodyOf(c.request));
  GODWIT_TRY(checkDeleteOptions(body));
  GODWIT_ASSIGN(out.commit, commitOf(c.request));
  if (const Json* dryRun = find(body, "dryRun"); dryRun && !dryRun->empty()) out.commit = Store::Commit::DryRun;
  GODWIT_ASSIGN(out.options.gracePeriodSeconds, graceOf(c, body));
  GODWIT_ASSIGN(out.options.propagation, propagationOf(c, body));
  out.options.uid = text(body, "preconditions", "uid");
  out.options.resourceVersion = text(body, "preconditions", "resourceVersion");
  return out;
}

Json success(const RestTarget& target, const std::string& uid) {
  Json details{{"name", target.name}, {"kind", target.type->plural}, {"uid", uid}};
  if (!target.type->group.empty()) details["group"] = target.type->group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details", std::move(details)}};
}

}  // namespace

RestReply removeOne(const RestContext& c) {
  const auto removal = removalOf(c);
  if (!removal.ok()) return badRequest(removal.error(), c.target);
  const auto last = c.store.remove(*c.target.type, c.key(), removal->options, removal->commit);
  if (!last.ok()) return errorReply(last.error(), c.target);
  // Still there: the object, so that a client sees what holds it. Gone: a Status with its uid.
  const auto now = c.store.get(*c.target.type, c.key());
  const auto uid = text(*last, "metadata", "uid");
  if (now.ok() && text(*now, "metadata", "uid") == uid && removal->commit == Store::Commit::Write)
    return jsonReply(*last);
  return jsonReply(success(c.target, uid));
}

RestReply removeMany(const RestContext& c) {
  const auto removal = removalOf(c);
  if (!removal.ok()) return badRequest(removal.error(), c.target);
  if (c.target.type->namespaced && c.target.ns.empty())
    return errorReply({Errc::Unsupported, "the server does not allow this method on the requested resource"}, c.target,
                      405);
  const auto options = listOptions(c);
  if (!options.ok()) return badRequest(options.error());
  auto list = c.store.list(*c.target.type, *options);
  if (!list.ok()) return badRequest(list.error(), c.target);
  for (const auto& item : list->items) {
    const auto gone = c.store.remove(*c.target.type, kube::keyOf(item), removal->options, removal->commit);
    if (!gone.ok() && !gone.is(Errc::NotFound)) return errorReply(gone.error(), c.target);
  }
  Json out{{"kind", std::string(c.target.type->kind) + "List"},
           {"apiVersion", c.target.type->apiVersion()},
           {"metadata", {{"resourceVersion", list->resourceVersion}}}};
  out["items"] = std::move(list->items);
  return jsonReply(out);
}

RestReply review(const http::Request& request) {
  auto body = bodyOf(request);
  if (!body.ok()) return badRequest(body.error());
  if (!body->is_object()) return badRequest({Errc::Invalid, "the review must be a JSON object"});
  if (request.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") {
    (*body)["status"] = {{"allowed", true}, {"reason", "the token of this server may do everything"}};
  } else if (request.path == "/apis/authentication.k8s.io/v1/selfsubjectreviews") {
    (*body)["status"] = {
        {"userInfo", {{"username", "godwit"}, {"groups", {"system:masters", "system:authenticated"}}}}};
  } else if (request.path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews") {
    const Json all = Json::array({"*"});
    (*body)["status"] = {{"resourceRules", {{{"verbs", all}, {"apiGroups", all}, {"resources", all}}}},
                         {"nonResourceRules", {{{"verbs", all}, {"nonResourceURLs", all}}}},
                         {"incomplete", false}};
  } else {
    return errorReply({Errc::NotFound, "the server could not find the requested resource"});
  }
  return jsonReply(*body, 201);
}

}  // namespace godwit::standalone
