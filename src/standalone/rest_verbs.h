// The verbs on objects.
#pragma once
#include "standalone/rest_types.h"
#include "standalone/store.h"

namespace godwit::standalone {

struct RestContext {
  Store& store;
  const Clock& clock;
  const http::Request& request;
  RestTarget target;
  kube::NamespacedName key() const { return {target.ns, target.name}; }
};

RestReply readOne(const RestContext& context);
RestReply readMany(const RestContext& context);
RestAnswer watchMany(const RestContext& context);
RestReply createOne(const RestContext& context);
RestReply replaceOne(const RestContext& context);
RestReply patchOne(const RestContext& context);
RestReply removeOne(const RestContext& context);
RestReply removeMany(const RestContext& context);
RestAnswer readLog(const RestContext& context);

// SelfSubjectAccessReview, SelfSubjectRulesReview and SelfSubjectReview: whoever holds the token may do everything.
RestReply review(const http::Request& request);

}  // namespace godwit::standalone
