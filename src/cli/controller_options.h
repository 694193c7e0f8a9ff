// What `godwit standalone` and `godwit operator` have in common on the command line.
#pragma once
#include <CLI/CLI.hpp>

#include "replication/controller.h"

namespace godwit::cli {

// An option that takes one of a few words, of which the first is the default.
template <class Enum>
void addChoice(CLI::App& command, const char* name, Enum& value, const std::vector<std::pair<std::string, Enum>>& words,
               const char* help) {
  std::string list;
  for (const auto& [word, meaning] : words) list += (list.empty() ? "" : "|") + word;
  const auto choose = [&value, words, name, list](const std::string& given) {
    const auto it = std::find_if(words.begin(), words.end(), [&](const auto& entry) { return entry.first == given; });
    if (it == words.end()) throw CLI::ValidationError(name, "\"" + given + "\" is not one of " + list);
    value = it->second;
  };
  command.add_option_function<std::string>(name, choose, help)->type_name(list)->default_str(words.front().first);
}

// --key-type, --foreign-movers, --time-zone
void addControllerOptions(CLI::App& command, replication::ControllerConfig& config);

}  // namespace godwit::cli
