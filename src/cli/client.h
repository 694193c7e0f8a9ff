// A kubeconfig on the command line -> an API server to talk to, as kubectl finds it.
#pragma once
#include <memory>
#include <string>

#include "kube/api.h"

namespace CLI {
class App;
}

namespace godwit::cli {

struct ClientOptions {
  std::string kubeconfig;  // empty: $KUBECONFIG, else that of a standalone Godwit here, else ~/.kube/config
  std::string context;     // empty: the current one
  std::string ns;          // empty: the context's
};

struct Client {
  std::unique_ptr<kube::Api> api;
  std::string ns;  // never empty
};

// --kubeconfig, --context, -n/--namespace
void addClientOptions(CLI::App& command, ClientOptions& options);

// NotFound with the places looked at when there is no kubeconfig. Reaches out to nobody yet.
Result<Client> connect(const ClientOptions& options);

}  // namespace godwit::cli
