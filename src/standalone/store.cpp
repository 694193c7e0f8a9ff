#include "standalone/store.h"

#include <fmt/core.h>

#include "api/core.h"
#include "standalone/store_impl.h"

namespace godwit::standalone {

namespace resources = kube::resources;

static Result<std::size_t> known(const kube::ResourceType& type) {
  const auto index = indexOf(type);
  if (index == resources::all().size())
    return Error{Errc::NotFound, fmt::format("the server does not serve {} of {}", type.plural, type.apiVersion())};
  return index;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  impl_->world->close();
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock, Random& random) {
  auto impl = std::make_unique<Impl>(options, clock, random);
  if (!options.database.empty()) {
    GODWIT_ASSIGN(impl->journal, Journal::open(options.database));
    GODWIT_TRY(impl->load());
    if (options.journalFault) impl->journal->setFault(options.journalFault);
  }
  std::unique_ptr<Store> store(new Store(std::move(impl)));
  for (const char* name : {"default", "kube-system"}) {
    const auto made = store->create(resources::kNamespaces, {{"metadata", {{"name", name}}}});
    if (!made.ok() && !made.is(Errc::AlreadyExists)) return made.error();
  }
  return store;
}

void Store::addAdmission(Admission admission) {
  std::lock_guard lock(impl_->writing);
  impl_->admissions.push_back(std::move(admission));
}

void Store::setLogSource(LogSource source) {
  std::lock_guard lock(impl_->writing);
  impl_->logSource = std::move(source);
}

std::string Store::resourceVersion() const {
  return std::to_string(impl_->world->version());
}

Result<Json> Store::get(const kube::ResourceType& type, const kube::NamespacedName& key) {
  GODWIT_ASSIGN(const auto index, known(type));
  const auto object = impl_->world->get(index, key);
  if (!object) return notFound(type, key.name);
  return *object;
}

// Where a page ended: the version the first page saw, and the last key. Opaque to clients.
static std::string encodeContinue(std::uint64_t version, const kube::NamespacedName& last) {
  return api::base64Encode(dumpJson(Json::array({version, last.ns, last.name})));
}

static Result<std::pair<std::uint64_t, kube::NamespacedName>> decodeContinue(const std::string& token) {
  const Error bad{Errc::Invalid, "continue: not a token that this server gave; list from the start"};
  const auto raw = api::base64Decode(token);
  if (!raw.ok()) return bad;
  const auto parsed = parseJson(*raw);
  if (!parsed.ok() || !parsed->is_array() || parsed->size() != 3) return bad;
  const Json& j = *parsed;
  if (!j[0].is_number_unsigned() || !j[1].is_string() || !j[2].is_string()) return bad;
  return std::pair(j[0].get<std::uint64_t>(), kube::NamespacedName{j[1].get<std::string>(), j[2].get<std::string>()});
}

Result<kube::List> Store::list(const kube::ResourceType& type, const kube::ListOptions& options) {
  GODWIT_ASSIGN(const auto index, known(type));
  GODWIT_ASSIGN(const auto selector, Selector::parse(type, options.labelSelector, options.fieldSelector));
  kube::NamespacedName after;
  std::uint64_t version = 0;
  if (!options.continueToken.empty()) {
    GODWIT_ASSIGN(std::tie(version, after), decodeContinue(options.continueToken));
    if (!impl_->world->remembers(version))
      return Error{Errc::Gone, "The provided continue parameter is too old; list from the start"};
  }
  const auto snapshot = impl_->world->list(index, type.namespaced ? options.ns : std::string(), after);
  // Later pages answer for the first one's version: a watch from there brings what changed in between.
  if (options.continueToken.empty()) version = snapshot.version;
  kube::List out{{}, std::to_string(version), {}};
  for (const auto& object : snapshot.objects) {
    if (!selector.matches(*object)) continue;
    if (options.limit > 0 && out.items.size() == static_cast<std::size_t>(options.limit)) {
      out.continueToken = encodeContinue(version, kube::keyOf(out.items.back()));
      break;
    }
    out.items.push_back(*object);
  }
  return out;
}

static Result<std::uint64_t> parseVersion(const std::string& s) {
  if (s.empty() || s.size() > 18 || s.find_first_not_of("0123456789") != s.npos) {
    return Error{Errc::Invalid,
                 fmt::format("resourceVersion: Invalid value: \"{}\": must be one that this server gave", s)};
  }
  return std::stoull(s);
}

Result<std::unique_ptr<kube::Watch>> Store::watch(const kube::ResourceType& type, const kube::WatchOptions& options) {
  GODWIT_ASSIGN(const auto index, known(type));
  GODWIT_ASSIGN(auto selector, Selector::parse(type, options.labelSelector, options.fieldSelector));
  World::Cursor cursor{index, type.namespaced ? options.ns : std::string(), std::move(selector), 0};
  std::vector<Object> first;
  if (options.resourceVersion.empty() || options.resourceVersion == "0") {
    auto snapshot = impl_->world->list(index, cursor.ns);
    cursor.version = snapshot.version;
    for (auto& object : snapshot.objects) {
      if (cursor.selector.matches(*object)) first.push_back(std::move(object));
    }
  } else {
    GODWIT_ASSIGN(cursor.version, parseVersion(options.resourceVersion));
    // A version of the future: the data directory was restored from an older copy. Listing again is the cure for both.
    if (!impl_->world->remembers(cursor.version)) {
      return Error{Errc::Gone,
                   fmt::format("too old resource version: {} ({})", cursor.version, impl_->world->version())};
    }
  }
  return openWatch(impl_->world, std::move(cursor), std::move(first), options.bookmarks);
}

Result<Json> Store::create(const kube::ResourceType& type, const Json& object) {
  return create(type, object, Commit::Write);
}

Result<Json> Store::create(const kube::ResourceType& type, const Json& object, Commit commit) {
  GODWIT_TRY(known(type));
  std::lock_guard lock(impl_->writing);
  return impl_->create(type, object, commit);
}

Result<Json> Store::modify(const kube::ResourceType& type, const kube::NamespacedName& key, const Change& change,
                           kube::Subresource subresource, Commit commit) {
  GODWIT_TRY(known(type));
  std::lock_guard lock(impl_->writing);
  return impl_->update(type, key, change, subresource, commit);
}

Result<Json> Store::patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& patch,
                          kube::Subresource subresource) {
  if (!patch.is_object()) return Error{Errc::Invalid, "a merge patch must be a JSON object"};
  return modify(
      type, key, [&](Json& object) { return mergePatch(object, patch), Result<void>(); }, subresource);
}

Result<void> Store::remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                           const kube::DeleteOptions& options) {
  GODWIT_TRY(remove(type, key, options, Commit::Write));
  return {};
}

Result<Json> Store::remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                           const kube::DeleteOptions& options, Commit commit) {
  GODWIT_TRY(known(type));
  std::lock_guard lock(impl_->writing);
  return impl_->remove(type, key, options, commit);
}

Result<std::string> Store::logs(const kube::NamespacedName& pod, const kube::LogOptions& options) {
  GODWIT_ASSIGN(const auto object, get(resources::kPods, pod));
  if (!options.container.empty()) {
    const Json* containers = godwit::find(object, "spec", "containers");
    const auto is = [&](const Json& c) { return text(c, "name") == options.container; };
    if (!containers || std::none_of(containers->begin(), containers->end(), is)) {
      return Error{Errc::Invalid, fmt::format("container {} is not valid for pod {}", options.container, pod.name)};
    }
  }
  LogSource source;
  {
    std::lock_guard lock(impl_->writing);
    source = impl_->logSource;
  }
  if (!source) return Error{Errc::Unavailable, fmt::format("no node here runs pod {}", pod.str())};
  return source(pod, options);
}

}  // namespace godwit::standalone
