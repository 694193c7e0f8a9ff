// What a client asks for in the query of a GET.
#pragma once
#include "standalone/rest_verbs.h"

namespace godwit::standalone {

// A whole number of at most nine digits; `otherwise` when the parameter is absent or empty.
Result<std::int64_t> wholeParam(const http::Request& request, const std::string& name, std::int64_t otherwise);

// resourceVersion: "at least as new as", which everything here is, unless the number is still to come (Timeout, as a
// server says that has waited for it in vain). The number; 0 for none.
Result<std::uint64_t> checkVersion(const RestContext& context);

// Invalid, or Gone for a past that is asked for exactly: lists are of now.
Result<kube::ListOptions> listOptions(const RestContext& context);

// Refuses the initial events of watch lists as a server does whose WatchList feature is off: clients then list and
// watch.
Result<kube::WatchOptions> watchOptions(const RestContext& context);

}  // namespace godwit::standalone
