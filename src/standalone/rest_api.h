// The Kubernetes REST API over a Store, as an unmodified kubectl speaks it.
#pragma once
#include <memory>
#include <string>

#include "base/clock.h"
#include "standalone/rest_types.h"
#include "standalone/store.h"

namespace godwit::standalone {

struct RestOptions {
  std::string token;  // what "Authorization: Bearer" must carry; empty: everyone is let in (tests)
};

class RestApi {
 public:
  RestApi(Store& store, const Clock& clock, RestOptions options);
  // Any thread. Every refusal is a metav1.Status.
  RestAnswer answer(const http::Request& request);
  void serve(const http::Request& request, http::ResponseWriter& out);  // an http::Handler
  bool authorized(const http::Request& head) const;                     // an http::BodyWanted

 private:
  RestAnswer route(const http::Request& request);

  Store& store_;
  const Clock& clock_;
  RestOptions options_;
};

}  // namespace godwit::standalone
