#include "mover/rsync_command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/core.h>

#include "mover/confine.h"

namespace godwit::mover {

namespace {

enum class Takes { Nothing, Number, Name, Words, Format, Directory, StandardInput };

struct Option {
  std::string_view name;
  Takes takes = Takes::Nothing;
};

// What a client's rsync sends to its server for options that only shape a transfer inside the volume.
constexpr Option kAllowed[] = {
    {"append"},
    {"block-size", Takes::Number},
    {"bwlimit", Takes::Words},
    {"checksum-choice", Takes::Words},
    {"checksum-seed", Takes::Number},
    {"compress-choice", Takes::Words},
    {"compress-level", Takes::Number},
    {"delay-updates"},
    {"delete"},
    {"delete-after"},
    {"delete-before"},
    {"delete-delay"},
    {"delete-during"},
    {"delete-excluded"},
    {"delete-missing-args"},
    {"existing"},
    {"fake-super"},
    {"force"},
    {"from0"},
    {"fsync"},
    {"groupmap", Takes::Words},
    {"iconv", Takes::Words},
    {"ignore-errors"},
    {"ignore-existing"},
    {"ignore-missing-args"},
    {"inc-recursive"},
    {"info", Takes::Words},
    {"inplace"},
    {"list-only"},
    {"log-format", Takes::Format},
    {"max-alloc", Takes::Words},
    {"max-delete", Takes::Number},
    {"max-size", Takes::Words},
    {"min-size", Takes::Words},
    {"mkpath"},
    {"modify-window", Takes::Number},
    {"msgs2stderr"},
    {"new-compress"},
    {"no-devices"},
    {"no-implied-dirs"},
    {"no-inc-recursive"},
    {"no-i-r"},
    {"no-msgs2stderr"},
    {"no-r"},
    {"no-relative"},
    {"no-specials"},
    {"no-W"},
    {"no-whole-file"},
    {"numeric-ids"},
    {"old-compress"},
    {"omit-dir-times"},
    {"omit-link-times"},
    {"one-file-system"},
    {"open-noatime"},
    {"partial"},
    {"preallocate"},
    {"recursive"},
    {"safe-links"},
    {"size-only"},
    {"skip-compress", Takes::Words},
    {"specials"},
    {"stats"},
    {"suffix", Takes::Name},
    {"super"},
    {"timeout", Takes::Number},
    {"use-qsort"},
    {"usermap", Takes::Words},
    {"backup-dir", Takes::Directory},
    {"compare-dest", Takes::Directory},
    {"copy-dest", Takes::Directory},
    {"link-dest", Takes::Directory},
    {"partial-dir", Takes::Directory},
    {"temp-dir", Takes::Directory},
    {"files-from", Takes::StandardInput},
};

struct Refusal {
  std::string_view name, why;
};
constexpr Refusal kRefused[] = {
    {"copy-devices", "it would read devices as files"},
    {"copy-unsafe-links", "it would follow links out of the volume"},
    {"confine-root", "the volume is the only root"},
    {"daemon", "a daemon takes its orders from a file of its own"},
    {"debug", "it would show what files of filter rules hold; no client sends it"},
    {"insecure-links", "it would follow links out of the volume"},
    {"keep-dirlinks", "it would write through symbolic links"},
    {"log-file", "it would write outside the volume"},
    {"only-write-batch", "it would write outside the volume"},
    {"protect-args", "its arguments would not be checked; drop -s"},
    {"remove-source-files", "a reader may not delete"},
    {"secluded-args", "its arguments would not be checked; drop -s"},
    {"write-devices", "it would write to devices"},
};

constexpr std::string_view kAllowedLetters = "vqnldmOJWHogDtUNpEAXrcCIRxSziyub";
constexpr Refusal kRefusedLetters[] = {
    {"K", "it would write through symbolic links"},
    {"L", "it would follow symbolic links"},
    {"k", "it would follow symbolic links"},
    {"s", "its arguments would not be checked; drop -s"},
};

constexpr std::string_view kSparing[] = {"append", "ignore-existing", "max-size", "min-size", "size-only"};

template <class Table>
const auto* lookUp(const Table& table, std::string_view name) {
  const auto it = std::find_if(std::begin(table), std::end(table), [&](const auto& row) { return row.name == name; });
  return it == std::end(table) ? nullptr : &*it;
}

bool consistsOf(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || extra.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.size() < 12 && std::all_of(text.begin(), text.end(), isDigit);
}

// What follows the letter `e`: a protocol's number or none, a dot, letters. With nothing behind it, `e` would take the
// next word as its value: what is an option here would be none for rsync.
bool areProtocolLetters(std::string_view text) {
  while (!text.empty() && isDigit(text.front())) text.remove_prefix(1);
  return !text.empty() && text.front() == '.' && consistsOf(text.substr(1), "_");
}

Error bad(std::string_view option, std::string_view why) {
  return {Errc::Forbidden, fmt::format("rsync option {} is refused: {}", option, why)};
}

class Parser {
 public:
  Parser(const std::vector<std::string>& words, const std::string& data) : words_(words), data_(data) {}

  Result<RsyncCommand> run() {
    if (words_.size() < 2 || words_[0] != "rsync" || words_[1] != "--server") {
      return Error{Errc::Forbidden, "only \"rsync --server ...\" can run here: start rsync at your end with -e ssh"};
    }
    out_.options.push_back("--server");
    for (at_ = 2; at_ < words_.size() && words_[at_].size() > 1 && words_[at_][0] == '-'; ++at_)
      GODWIT_TRY(option(words_[at_]));
    GODWIT_TRY(paths());
    if (!out_.sender && withoutParents_)
      return bad("--no-implied-dirs", "it would follow symbolic links on the way to a file");
    if (!out_.sender) holdRelativeDirectories();
    return std::move(out_);
  }

 private:
  Result<void> option(const std::string& word) {
    if (word == "--") return bad(word, "paths are recognised without it");
    return word[1] == '-' ? longOption(word) : bundle(word);
  }

  // One word of single letters; after `e` follows what the peer's protocol is capable of, in letters too.
  Result<void> bundle(const std::string& word) {
    if ((word[1] == 'B' || word[1] == '@') && isNumber(std::string_view(word).substr(2))) return keep(word);
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string_view letter(&word[i], 1);
      if (letter == "e") {
        if (!areProtocolLetters(std::string_view(word).substr(i + 1)))
          return bad(word, "its protocol letters are malformed");
        break;
      }
      if (const auto* refusal = lookUp(kRefusedLetters, letter)) return bad("-" + std::string(letter), refusal->why);
      if (kAllowedLetters.find(letter) == std::string_view::npos)
        return bad("-" + std::string(letter), "it is not on the list of allowed ones");
      if (letter == "n") out_.dryRun = true;
      if (letter == "R") anchored_ = true;
      if (letter == "c" || letter == "u") out_.spares = "-" + std::string(letter);
    }
    return keep(word);
  }

  Result<void> longOption(const std::string& word) {
    const auto equals = word.find('=');
    const auto name = std::string_view(word).substr(2, equals == std::string::npos ? equals : equals - 2);
    if (const auto* refusal = lookUp(kRefused, name)) return bad(word, refusal->why);
    if (word == "--sender") return out_.sender = true, keep(word);
    withoutParents_ |= name == "no-implied-dirs";
    if (name == "no-relative") anchored_ = false;
    if (std::find(std::begin(kSparing), std::end(kSparing), name) != std::end(kSparing)) out_.spares = word;
    const auto* known = lookUp(kAllowed, name);
    if (!known) return bad(word, "it is not on the list of allowed ones");
    if (known->takes == Takes::Nothing) {
      if (equals != std::string::npos) return bad(word, "it takes no value");
      return out_.dryRun |= name == "list-only", keep(word);
    }
    if (equals != std::string::npos) return withValue(*known, word.substr(equals + 1));
    if (++at_ >= words_.size()) return bad(word, "its value is missing");
    return withValue(*known, words_[at_]);
  }

  Result<void> withValue(const Option& known, std::string value) {
    const auto shown = fmt::format("--{}={}", known.name, value);
    switch (known.takes) {
      case Takes::Nothing:
        break;
      case Takes::Number:
        if (!isNumber(value)) return bad(shown, "its value must be a number");
        break;
      case Takes::Name:
        if (value.empty() || value.find('/') != std::string::npos)
          return bad(shown, "its value must be part of a file name");
        break;
      case Takes::Words:
        if (value.empty() || !consistsOf(value, ",.:*-_+@/ "))
          return bad(shown, "its value has characters it cannot need");
        break;
      case Takes::Format:
        if (!consistsOf(value, "% ")) return bad(shown, "its value has characters it cannot need");
        break;
      case Takes::StandardInput:
        if (value != "-") return bad(shown, "a list of files can only come from your end");
        out_.namesFollow = true;
        break;
      case Takes::Directory:
        return directory(known, value);
    }
    return keep(fmt::format("--{}={}", known.name, value));
  }

  // A relative directory is relative to the transfer's, and cannot leave it without ".." or a link; an absolute one is
  // the volume's.
  Result<void> directory(const Option& known, const std::string& value) {
    if (value.empty()) return bad(fmt::format("--{}", known.name), "its directory is empty");
    auto confined = confineName(value);
    if (!confined.ok()) return bad(fmt::format("--{}", known.name), confined.error().message);
    const auto inside = confined->substr(confined->size() > 1 ? 2 : 1);
    if (value[0] == '/')
      out_.optionPaths.push_back(*confined);
    else
      relative_.push_back(inside);
    return keep(fmt::format("--{}={}", known.name,
                            value[0] == '/'  ? data_ + "/" + inside
                            : inside.empty() ? "."
                                             : inside));
  }

  // The transfer's directory is the one named, or its parent when a single file is named.
  void holdRelativeDirectories() {
    const auto& target = out_.paths[0];
    const auto parent = target.find_last_of('/', target.size() - 2);
    for (const auto& directory : relative_) {
      out_.optionPaths.push_back(target + "/" + directory);
      if (parent != std::string::npos) out_.optionPaths.push_back(target.substr(0, parent + 1) + directory);
    }
  }

  // With -R a reader's names begin behind the first "/./".
  Result<std::string> path(const std::string& word) const {
    const auto anchor = out_.sender && anchored_ ? word.find("/./") : std::string::npos;
    if (anchor == std::string::npos) return confineName(word);
    GODWIT_ASSIGN(const auto above, confineName(std::string_view(word).substr(0, anchor)));
    GODWIT_ASSIGN(const auto below, confineName(std::string_view(word).substr(anchor + 3)));
    if (above == ".") return below;
    return above + (above.back() == '/' ? "" : "/") + (below == "." ? "./" : below);
  }

  // rsync's server always gets "." first, a stand-in for the host name, then what the user named.
  Result<void> paths() {
    if (at_ >= words_.size() || words_[at_] != ".")
      return Error{Errc::Forbidden, "rsync --server: expected \".\" before the paths"};
    for (++at_; at_ < words_.size(); ++at_) {
      GODWIT_ASSIGN(auto confined, path(words_[at_]));
      out_.paths.push_back(std::move(confined));
    }
    if (out_.paths.empty()) return Error{Errc::Forbidden, "rsync --server: no path is named"};
    if (!out_.sender && out_.paths.size() > 1)
      return Error{Errc::Forbidden, "rsync --server: more than one destination is named"};
    return {};
  }

  Result<void> keep(std::string word) {
    out_.options.push_back(std::move(word));
    return {};
  }

  const std::vector<std::string>& words_;
  const std::string& data_;
  std::size_t at_ = 0;
  bool withoutParents_ = false;
  bool anchored_ = false;              // -R: a "/./" in a path means something
  std::vector<std::string> relative_;  // directories that options name relative to the transfer's
  RsyncCommand out_;
};

}  // namespace

Result<RsyncCommand> parseRsyncCommand(const std::vector<std::string>& words, const std::string& data) {
  return Parser(words, data).run();
}

}  // namespace godwit::mover
