#include "kube/delegated_auth.h"

#include <openssl/sha.h>

namespace godwit::kube {

namespace {

constexpr Duration kKeep = std::chrono::minutes(1);
constexpr std::size_t kMost = 64;  // scrapers; more of them are asked about each time

// Reviews are questions in the form of objects that nobody stores.
const ResourceType kTokenReviews{"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false};
const ResourceType kSubjectAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview",
                                         false};

std::string digest(const std::string& text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Json review(const ResourceType& type, Json spec) {
  return {{"apiVersion", type.apiVersion()}, {"kind", std::string(type.kind)}, {"spec", std::move(spec)}};
}

// What a TokenReview says of the user, as a SubjectAccessReview wants it.
Json subject(const Json& user) {
  Json out = {{"user", text(user, "username")}, {"uid", text(user, "uid")}};
  for (const char* field : {"groups", "extra"}) {
    if (const Json* value = find(user, field)) out[field] = *value;
  }
  return out;
}

}  // namespace

Result<DelegatedAuth::Verdict> DelegatedAuth::check(const std::string& token, const std::string& verb,
                                                    const std::string& path) {
  if (token.empty()) return Verdict::Unknown;
  const auto key = digest(verb + " " + path + " " + token);
  {
    std::lock_guard lock(mutex_);
    const auto now = clock_.monotonic();
    std::erase_if(known_, [&](const auto& each) { return each.second.until <= now; });
    if (const auto it = known_.find(key); it != known_.end()) return it->second.verdict;
  }
  GODWIT_ASSIGN(const auto verdict, ask(token, verb, path));
  std::lock_guard lock(mutex_);
  if (known_.size() < kMost) known_[key] = {verdict, clock_.monotonic() + kKeep};
  return verdict;
}

Result<DelegatedAuth::Verdict> DelegatedAuth::ask(const std::string& token, const std::string& verb,
                                                  const std::string& path) {
  GODWIT_ASSIGN(const auto who, api_.create(kTokenReviews, review(kTokenReviews, {{"token", token}})));
  const Json* user = find(who, "status", "user");
  if (!truth(who, "status", "authenticated") || !user) return Verdict::Unknown;
  Json spec = subject(*user);
  spec["nonResourceAttributes"] = {{"path", path}, {"verb", verb}};
  GODWIT_ASSIGN(const auto may, api_.create(kSubjectAccessReviews, review(kSubjectAccessReviews, std::move(spec))));
  return truth(may, "status", "allowed") ? Verdict::Allowed : Verdict::Denied;
}

}  // namespace godwit::kube
