// The quickstart's files: real ones from this machine, a few changes to them, and the judge of equality.
#pragma once
#include <filesystem>
#include <string>

#include "base/result.h"

namespace godwit::cli {

struct Contents {
  std::int64_t entries = 0, bytes = 0;  // apparent size of regular files
  std::string from;                     // "/usr/share/doc, /usr/include"
};

// Copies directories of the machine into `volume` until it holds some ten thousand files, a sparse one and links among
// them. What the caller may not read is left out.
Result<Contents> fillVolume(const std::filesystem::path& volume);

// Edits one file, adds three and deletes one; says so in one line.
Result<std::string> changeVolume(const std::filesystem::path& volume);

// What `rsync -anAHXSc --delete` would do to make `replica` equal to `source`, by content: empty when they are equal.
Result<std::string> differences(const std::filesystem::path& source, const std::filesystem::path& replica);

// Waits until the symlink `link` points to a directory of this name; Timeout after ten seconds.
Result<void> awaitLink(const std::filesystem::path& link, const std::string& name);

Contents measure(const std::filesystem::path& volume);

}  // namespace godwit::cli
