// Where the other end finds us: a Service, and its address in status.
#include "api/names.h"
#include "replication/act.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::EventType;
using kube::resources::kServices;
constexpr Duration kAddressPatience = std::chrono::seconds(15);

// What a source has to name unless it is 22: on a plain host where the mover listens; a NodePort is the port by nature.
std::optional<std::int64_t> reachablePort(const api::Service& service) {
  if (service.type == "ClusterIP")
    return std::nullopt;  // inside, a Service answers under its own port wherever its mover listens
  const auto text = service.meta.annotation(kPortAnnotation);
  if (!text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos) {
    const std::int64_t port = std::stoll(text);
    constexpr std::int64_t kDefault = 22;
    if (port != kDefault || service.port != kDefault) return port;
    return std::nullopt;
  }
  if (service.type == "NodePort" && service.nodePort > 0) return service.nodePort;
  return std::nullopt;
}

// A plain host has one node and names it; which of a cluster's nodes to use is for its users to say.
std::string addressOf(const api::Service& service) {
  if (const auto host = service.meta.annotation(kHostAnnotation); service.type == "NodePort" && !host.empty())
    return host;
  if (service.type != "ClusterIP" && !service.ingress.empty()) return service.ingress.front();
  if (service.type == "LoadBalancer" || service.clusterIP == "None") return {};
  return service.clusterIP;
}

// An address in the spec replaces the Service that an earlier spec asked for.
Outcome withdraw(Pass& pass) {
  const auto service = pass.world.service;
  if (service && ownedBy(service->meta, pass.object.meta) && !service->meta.deletionTimestamp) {
    if (auto gone = drop(pass, pass.doors.views.services, kServices, service->meta); !gone) {
      return outcomeOf(gone.error());
    }
  }
  if (pass.object.status.rsync) {
    pass.object.status.rsync->address.reset();
    pass.object.status.rsync->port.reset();
  }
  return Done{};
}

Result<void> provide(Pass& pass) {
  auto& views = pass.doors.views;
  if (!pass.world.service) {
    GODWIT_ASSIGN(const auto made, create(pass, views.services, kServices, planService(pass.object)));
    pass.world.service = made.object;
  }
  GODWIT_TRY(checkOwner(kServices, pass.world.service->meta, pass.object));
  const Json change = servicePatch(pass.object, *pass.world.service);
  if (change.empty()) return {};
  GODWIT_ASSIGN(pass.world.service, patch(pass, views.services, kServices, pass.world.service->meta.key(), change));
  return {};
}

}  // namespace

Outcome stepService(Pass& pass) {
  if (!needsService(pass.object)) return withdraw(pass);
  if (const auto provided = provide(pass); !provided) return outcomeOf(provided.error());
  const auto& service = *pass.world.service;
  pass.note = service.meta.annotation(kAddressMessageAnnotation);
  const auto address = addressOf(service);
  auto& status = pass.object.status.rsync;
  if (!status) status.emplace();
  if (address.empty()) {
    const auto message = fmt::format("Service {} has no address yet; a {} needs a provider in this cluster",
                                     service.meta.name, service.type);
    warnAfter(pass, service.meta, kAddressPatience, "NoServiceAddressAssigned", message);
    pass.note = message;
    return Wait{"no address yet"};
  }
  if (status->address != address) {
    pass.tell(EventType::Normal, "ServiceAddressAssigned", fmt::format("listening on {}", address));
  }
  status->address = address;
  status->port = reachablePort(service);
  return Done{};
}

}  // namespace godwit::replication
