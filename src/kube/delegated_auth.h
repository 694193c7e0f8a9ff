// Asks the API server who sends a request and whether they may: TokenReview and SubjectAccessReview, as the endpoints
// of every component of a cluster do it.
#pragma once
#include <map>
#include <mutex>

#include "base/clock.h"
#include "kube/api.h"

namespace godwit::kube {

class DelegatedAuth {
 public:
  enum class Verdict { Allowed, Unknown, Denied };  // HTTP 200, 401, 403

  DelegatedAuth(Api& api, const Clock& clock) : api_(api), clock_(clock) {}
  // May the bearer of `token` do `verb` ("get") at the non-resource path ("/metrics")? Answers are kept for a minute.
  // An Error: the server could not be asked, or this process may not ask it.
  Result<Verdict> check(const std::string& token, const std::string& verb, const std::string& path);

 private:
  Result<Verdict> ask(const std::string& token, const std::string& verb, const std::string& path);
  struct Known {
    Verdict verdict;
    Duration until;
  };
  Api& api_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by a digest: tokens are not kept
};

}  // namespace godwit::kube
