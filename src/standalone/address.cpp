#include "standalone/address.h"

#include <charconv>

#include "api/mover_result.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

namespace r = kube::resources;

int toPort(const std::string& text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0 && out < 65536 ? out : 0;
}

int servicePort(const Json& service) {
  const auto& ports = elements(find(service, "spec", "ports"));
  return ports.empty() ? 0 : static_cast<int>(number(0, ports.front(), "port"));
}

int portOf(const Json& service) {
  return toPort(annotation(service, kPortAnnotation));
}

bool open(const Json& service) {  // reachable from other machines
  const auto type = text(service, "spec", "type");
  return type == "LoadBalancer" || type == "NodePort";
}

bool hasSelector(const Json& service) {
  const auto* selector = find(service, "spec", "selector");
  return selector && selector->is_object() && !selector->empty();
}

}  // namespace

bool Addresses::step() {
  bool any = false;
  for (const auto& service : cluster_.list(r::kServices)) {
    if (!isDeleting(*service)) any |= backoffs_.attempt(*service, [&] { return reconcile(*service); });
  }
  return any;
}

Result<bool> Addresses::reconcile(const Json& service) {
  Json change = Json::object();
  if (text(service, "spec", "clusterIP").empty() && text(service, "spec", "type") != "ExternalName") {
    const auto ip = freeClusterIp(service);
    change["spec"]["clusterIP"] = ip;
    change["spec"]["clusterIPs"] = Json::array({ip});
  }
  if (open(service)) {
    if (auto ports = portsWithNodePort(service); !ports.is_null()) change["spec"]["ports"] = std::move(ports);
  }
  if (hasSelector(service) && servicePort(service) > 0 && portOf(service) == 0) {
    GODWIT_ASSIGN(const auto choice, choosePort(service));
    change["metadata"]["annotations"][kPortAnnotation] = std::to_string(choice.port);
    if (!choice.message.empty()) change["metadata"]["annotations"][kAddressMessageAnnotation] = choice.message;
  }
  if (text(service, "spec", "type") == "NodePort" && annotation(service, kHostAnnotation) != hostAddress_) {
    change["metadata"]["annotations"][kHostAnnotation] = hostAddress_;
  }
  bool wrote = false;
  if (!change.empty()) {
    GODWIT_ASSIGN(wrote, cluster_.patch(r::kServices, service, change));
  }
  if (text(service, "spec", "type") != "LoadBalancer") return wrote;
  const Json ingress = Json::array({{{"ip", hostAddress_}}});
  GODWIT_ASSIGN(const bool published,
                cluster_.patch(r::kServices, service, {{"status", {{"loadBalancer", {{"ingress", ingress}}}}}},
                               kube::Subresource::Status));
  return wrote || published;
}

std::string Addresses::freeClusterIp(const Json& service) const {
  std::set<std::string> taken;
  for (const auto& other : cluster_.list(r::kServices)) taken.insert(text(*other, "spec", "clusterIP"));
  // By name, so that a Service made anew tends to get its old address; 10.96.0.0/12 holds 2^20.
  constexpr std::uint32_t kBase = 0x0A600000, kSize = 1u << 20;
  auto offset = static_cast<std::uint32_t>(std::hash<std::string>{}(kube::keyOf(service).str()) % (kSize - 512));
  for (;; ++offset) {
    const std::uint32_t ip = kBase + 256 + offset % (kSize - 512);
    const auto name = fmt::format("{}.{}.{}.{}", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    if (!taken.contains(name)) return name;
  }
}

// null when every port has one already.
Json Addresses::portsWithNodePort(const Json& service) const {
  constexpr int kFirst = 30000, kLast = 32767;
  std::set<std::int64_t> taken;
  for (const auto& other : cluster_.list(r::kServices)) {
    for (const auto& port : elements(find(*other, "spec", "ports"))) taken.insert(number(0, port, "nodePort"));
  }
  Json ports = elements(find(service, "spec", "ports"));
  bool changed = false;
  for (auto& port : ports) {
    for (int candidate = kFirst; number(0, port, "nodePort") == 0 && candidate <= kLast; ++candidate) {
      if (!taken.insert(candidate).second) continue;
      port["nodePort"] = candidate;
      changed = true;
    }
  }
  return changed ? ports : Json();
}

std::set<int> Addresses::takenPorts(const Json& except) const {
  std::set<int> taken;
  for (const auto& other : cluster_.list(r::kServices)) {
    if (uidOf(*other) != uidOf(except)) taken.insert(portOf(*other));
  }
  return taken;
}

Result<Addresses::Choice> Addresses::freePort(const Json& service, int preferred) {
  constexpr int kFirst = 20000, kLast = 29999;  // above what services use, below what the kernel gives to clients
  const auto taken = takenPorts(service);
  const auto fits = [&](int port) {
    return port <= 65535 && !taken.contains(port) && ports_.look(port, open(service)) == Ports::State::Free;
  };
  if (preferred > 0 && fits(preferred)) return Choice{preferred, ""};
  const auto spread = static_cast<int>(std::hash<std::string>{}(uidOf(service)) % (kLast - kFirst + 1));
  for (int i = 0; i <= kLast - kFirst; ++i) {
    const int port = kFirst + (spread + i) % (kLast - kFirst + 1);
    if (fits(port)) return Choice{port, ""};
  }
  return Error{Errc::Unavailable, fmt::format("no free port between {} and {} on this host", kFirst, kLast)};
}

Result<Addresses::Choice> Addresses::choosePort(const Json& service) {
  if (!open(service)) return freePort(service, 0);
  constexpr int kFallback = 31000;
  const int wanted = servicePort(service);
  const bool ours = takenPorts(service).contains(wanted);
  const auto state = ports_.look(wanted, true);
  if (!ours && state == Ports::State::Free) return Choice{wanted, ""};
  GODWIT_ASSIGN(auto choice, freePort(service, kFallback + wanted));
  const auto why = ours                          ? std::string("is used by another Service of this host")
                   : state == Ports::State::Held ? "is held by " + ports_.holder(wanted)
                                                 : std::string("is not permitted to an ordinary user");
  choice.message =
      fmt::format("port {} {}; listening on {}; set rsync.port to a free port, or rsync.port: {} at the source", wanted,
                  why, choice.port, choice.port);
  return choice;
}

Object Addresses::serviceFor(const std::string& address, int port, const std::string& ns) const {
  std::vector<Object> loose;
  for (const auto& service : cluster_.list(r::kServices)) {
    const int actual = portOf(*service);
    if (actual == 0) continue;
    const auto key = kube::keyOf(*service);
    const auto qualified = key.name + "." + key.ns;
    const bool named = address == qualified || address == qualified + ".svc" ||
                       address == qualified + ".svc.cluster.local" || (address == key.name && key.ns == ns);
    if (named || address == text(*service, "spec", "clusterIP")) return service;
    if (!open(*service) || (address != hostAddress_ && address != "127.0.0.1" && address != "localhost")) continue;
    if (actual == port) return service;
    if (servicePort(*service) == port) loose.push_back(service);
  }
  // The host's address and "port 22" mean a Service only where no second one claims the same.
  return loose.size() == 1 ? loose.front() : nullptr;
}

void Addresses::translate(const Json& pod, ContainerSpec& spec) const {
  constexpr int kSsh = 22;
  std::string* address = nullptr;
  std::string* port = nullptr;
  for (auto& [name, value] : spec.env) {
    if (name == api::mover_env::kAddress) address = &value;
    if (name == api::mover_env::kPort) port = &value;
  }
  if (!address) return;
  const int asked = port && !port->empty() ? toPort(*port) : kSsh;
  const auto service = serviceFor(*address, asked, text(pod, "metadata", "namespace"));
  if (!service) return;
  *address = "127.0.0.1";  // every mover of this host listens there
  const auto actual = annotation(*service, kPortAnnotation);
  if (port) {
    *port = actual;
  } else {
    spec.env.emplace_back(api::mover_env::kPort, actual);
  }
}

Result<void> Addresses::prepare(const Json& pod, ContainerSpec& spec) {
  translate(pod, spec);
  for (const auto& service : cluster_.list(r::kServices)) {
    if (text(*service, "metadata", "namespace") != text(pod, "metadata", "namespace")) continue;
    if (!selects(find(*service, "spec", "selector"), pod)) continue;
    int port = portOf(*service);
    if (port == 0 || ports_.look(port, open(*service)) != Ports::State::Free) {
      GODWIT_ASSIGN(const auto choice, choosePort(*service));
      const Json annotations = {{kPortAnnotation, std::to_string(choice.port)},
                                {kAddressMessageAnnotation, choice.message.empty() ? Json() : Json(choice.message)}};
      GODWIT_TRY(cluster_.patch(r::kServices, *service, {{"metadata", {{"annotations", annotations}}}}));
      port = choice.port;
    }
    spec.env.emplace_back(api::mover_env::kListen,
                          fmt::format("{}:{}", open(*service) ? "0.0.0.0" : "127.0.0.1", port));
    spec.listenPort = port;
    return {};
  }
  return {};
}

}  // namespace godwit::standalone
