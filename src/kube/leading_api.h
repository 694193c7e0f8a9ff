// An Api that writes only while this replica may lead: work that is under way when leadership ends may be slow to hear
// of it.
#pragma once
#include "kube/leader.h"

namespace godwit::kube {

class LeadingApi final : public Api {
 public:
  LeadingApi(Api& api, const LeaderElector& elector) : api_(api), elector_(elector) {}

  Result<Json> get(const ResourceType& type, const NamespacedName& key) override { return api_.get(type, key); }
  Result<List> list(const ResourceType& type, const ListOptions& options) override { return api_.list(type, options); }
  Result<std::unique_ptr<Watch>> watch(const ResourceType& type, const WatchOptions& options) override {
    return api_.watch(type, options);
  }
  Result<Json> create(const ResourceType& type, const Json& object) override {
    if (!elector_.mayLead()) return tooLate();
    return api_.create(type, object);
  }
  Result<Json> patch(const ResourceType& type, const NamespacedName& key, const Json& mergePatch,
                     Subresource subresource = Subresource::None) override {
    if (!elector_.mayLead()) return tooLate();
    return api_.patch(type, key, mergePatch, subresource);
  }
  Result<void> remove(const ResourceType& type, const NamespacedName& key, const DeleteOptions& options) override {
    if (!elector_.mayLead()) return tooLate();
    return api_.remove(type, key, options);
  }
  Result<std::string> logs(const NamespacedName& pod, const LogOptions& options) override {
    return api_.logs(pod, options);
  }

 private:
  static Error tooLate() { return {Errc::Cancelled, "this replica does not lead any more"}; }

  Api& api_;
  const LeaderElector& elector_;
};

}  // namespace godwit::kube
