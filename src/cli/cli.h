// The command line. Exit codes of every subcommand: 0 done, 1 failed, 2 the command line was wrong.
#pragma once
#include "base/result.h"

namespace CLI {
class App;
}

namespace godwit::cli {

inline constexpr int kDone = 0, kFailed = 1, kUsage = 2;

int run(int argc, char** argv);

// "godwit: MESSAGE" on stderr; returns kFailed.
int fail(const Error& error);

// Each adds one subcommand to `root`; when that was the one asked for, `exit` gets its exit code.
void addApply(CLI::App& root, int& exit);
void addCrds(CLI::App& root, int& exit);
void addKeys(CLI::App& root, int& exit);
void addOperator(CLI::App& root, int& exit);
void addQuickstart(CLI::App& root, int& exit);
void addStandalone(CLI::App& root, int& exit);
void addStatus(CLI::App& root, int& exit);
void addSync(CLI::App& root, int& exit);
void addVersion(CLI::App& root, int& exit);

}  // namespace godwit::cli
