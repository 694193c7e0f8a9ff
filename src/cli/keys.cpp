#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "api/core.h"
#include "api/yaml.h"
#include "cli/cli.h"
#include "cli/controller_options.h"
#include "replication/keygen.h"

namespace godwit::cli {

namespace {

using replication::KeyPair;
using replication::KeyType;

struct Options {
  std::string name, sourceNamespace, destinationNamespace;
  KeyType type = KeyType::Ed25519;
};

std::string secret(const std::string& name, const std::string& ns, const api::StringMap& data) {
  Json object = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "Opaque"}, {"metadata", {{"name", name}}}};
  if (!ns.empty()) object["metadata"]["namespace"] = ns;
  for (const auto& [field, value] : data) object["data"][field] = api::base64Encode(value);
  return api::toYaml(object);
}

int makeKeys(const Options& options) {
  const auto source = replication::generateKeyPair(options.type, options.name + " source");
  if (!source) return fail(source.error());
  const auto destination = replication::generateKeyPair(options.type, options.name + " destination");
  if (!destination) return fail(destination.error());
  fmt::print("{}---\n{}",
             secret(options.name + "-source", options.sourceNamespace,
                    {{"source", source->privateKey},
                     {"source.pub", source->publicKey},
                     {"destination.pub", destination->publicKey}}),
             secret(options.name + "-destination", options.destinationNamespace,
                    {{"destination", destination->privateKey},
                     {"destination.pub", destination->publicKey},
                     {"source.pub", source->publicKey}}));
  return kDone;
}

}  // namespace

void addKeys(CLI::App& root, int& exit) {
  auto options = std::make_shared<Options>();
  auto* command = root.add_subcommand(
      "keys",
      "Make SSH keys for one pair and print the two Secrets, NAME-source and NAME-destination, for spec.rsync.sshKeys");
  command->add_option("NAME", options->name, "Names of the Secrets begin with this")->required();
  command->add_option("--source-namespace", options->sourceNamespace, "metadata.namespace of NAME-source");
  command->add_option("--destination-namespace", options->destinationNamespace,
                      "metadata.namespace of NAME-destination");
  addChoice<KeyType>(*command, "--type", options->type,
                     {{"ed25519", KeyType::Ed25519}, {"rsa", KeyType::Rsa4096}, {"ecdsa", KeyType::Ecdsa}},
                     "Of both pairs; RSA has 4096 bits, ECDSA is P-256");
  command->callback([options, &exit] { exit = makeKeys(*options); });
}

}  // namespace godwit::cli
