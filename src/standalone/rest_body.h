// What a client sends and asks for besides the path: bodies, formats, options.
#pragma once
#include <string>
#include <vector>

#include "standalone/rest_table.h"
#include "standalone/rest_types.h"
#include "standalone/rest_verbs.h"

namespace godwit::standalone {

// How the client wants to see objects. Unsupported (406) when it accepts neither JSON nor tables of it.
struct View {
  bool table = false;
  IncludeObject include = IncludeObject::Metadata;
};
Result<View> viewOf(const http::Request& request);

// The body as one JSON object (DELETE may have none: an empty object). Invalid, or Unsupported (415) for other formats.
Result<Json> bodyOf(const http::Request& request);
bool isSupportedBody(const http::Request& request);

// Whether the kind comes from a CustomResourceDefinition: no strategic merge patch there.
bool isCustom(const kube::ResourceType& type);

// Write for no `dryRun`, DryRun for "All", Invalid for anything else.
Result<Store::Commit> commitOf(const http::Request& request);

// Removes what the kind's schema does not know. What is to become of it says ?fieldValidation: an error (Strict),
// warnings (Warn, the default), or nothing (Ignore).
Result<std::vector<std::string>> screenFields(const http::Request& request, const kube::ResourceType& type,
                                              Json& object);
void addWarnings(RestReply& reply, const std::vector<std::string>& warnings);

// One object in the view asked for.
RestReply shown(const RestContext& context, const Json& object, int status = 200);

}  // namespace godwit::standalone
