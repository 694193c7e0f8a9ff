// `godwit status`: every ReplicationSource and ReplicationDestination of a server, once or for as long as one looks.
#pragma once
#include <stop_token>
#include <string>
#include <vector>

#include "cli/status_table.h"
#include "cli/terminal.h"
#include "kube/api.h"

namespace godwit::cli {

// By namespace and name, sources before destinations of the same name. `ns` empty: all namespaces.
Result<std::vector<StatusRow>> statusRows(kube::Api& api, const std::string& ns);

// Redraws the table when an object changes and every second; returns when told to stop. Not live: prints it at changes.
Result<void> watchStatus(kube::Api& api, const std::string& ns, Terminal& terminal, std::stop_token stop);

}  // namespace godwit::cli
