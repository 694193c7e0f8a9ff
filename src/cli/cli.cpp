#include "cli/cli.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "base/log.h"

namespace godwit::cli {

int fail(const Error& error) {
  fmt::print(stderr, "godwit: {}\n", error.message);
  return kFailed;
}

namespace {

constexpr const char* kFooter =
    "Start here: `godwit quickstart` shows a volume being replicated on this machine.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong command line.";

Result<void> configureLog(const std::string& level, const std::string& format) {
  log::Settings settings;
  if (!log::parse(level, settings.level)) {
    return Error{Errc::Invalid, fmt::format("--log-level {}: give debug, info, warn or error", level)};
  }
  if (format != "text" && format != "json") {
    return Error{Errc::Invalid, fmt::format("--log-format {}: give text or json", format)};
  }
  settings.format = format == "json" ? log::Format::Json : log::Format::Text;
  log::configure(settings);
  return {};
}

// main() takes it before this command line is looked at: a pod's mover owes nothing to the others' options. It is here
// so that the help knows it.
void addMover(CLI::App& root, int& exit) {
  auto* command = root.add_subcommand(
      "mover", "One side of one transfer, as the pods that Godwit makes run it: mover source, mover destination");
  command->allow_extras()->fallthrough(false);
  command->callback([&exit] {
    fail({Errc::Invalid, "mover: no options before this word; those of a side are told by godwit mover --help"});
    exit = kUsage;
  });
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App root("Godwit copies volumes to where they are needed next.", "godwit");
  root.footer(kFooter);
  root.require_subcommand(1);
  root.fallthrough();
  root.set_version_flag("--version", std::string("godwit ") + GODWIT_VERSION);
  std::string level = "info", format = "text";
  root.add_option("--log-level", level, "debug, info, warn or error")->capture_default_str();
  root.add_option("--log-format", format, "text or json")->capture_default_str();

  int exit = kDone;
  // Runs before any subcommand's callback.
  root.parse_complete_callback([&] {
    if (auto configured = configureLog(level, format); !configured) {
      fail(configured.error());
      throw CLI::RuntimeError(kUsage);
    }
  });
  addQuickstart(root, exit);
  addStandalone(root, exit);
  addOperator(root, exit);
  addStatus(root, exit);
  addApply(root, exit);
  addSync(root, exit);
  addCrds(root, exit);
  addKeys(root, exit);
  addMover(root, exit);
  addVersion(root, exit);
  try {
    root.parse(argc, argv);
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? kDone : kUsage;  // 0: --help and --version
  }
  return exit;
}

}  // namespace godwit::cli
