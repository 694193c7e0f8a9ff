#include "mover/unescape.h"

#include <fmt/core.h>

namespace godwit::mover {

namespace {

// What a shell would act on. Taken literally it would be harmless, but the peer plainly meant something else.
constexpr std::string_view kOperators = "|&;<>()`$\n\r";

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>> run() {
    while (at_ < text_.size()) GODWIT_TRY(step());
    endWord();
    if (words_.size() > kMaxCommandWords) return tooMany();
    return std::move(words_);
  }

 private:
  static Error tooMany() { return {Errc::Invalid, fmt::format("command has more than {} words", kMaxCommandWords)}; }

  Result<void> step() {
    const char c = text_[at_++];
    if (c == ' ' || c == '\t') return endWord(), Result<void>();
    inWord_ = true;
    if (c == '\\') return escaped();
    if (c == '\'') return singleQuoted();
    if (c == '"') return doubleQuoted();
    if (kOperators.find(c) != std::string_view::npos) {
      return Error{Errc::Invalid,
                   fmt::format("unescaped shell character 0x{:02x} at byte {}: no shell runs here", c, at_ - 1)};
    }
    word_ += c;
    return {};
  }

  Result<void> escaped() {
    if (at_ == text_.size()) return Error{Errc::Invalid, "command ends in a backslash"};
    word_ += text_[at_++];
    return {};
  }

  Result<void> singleQuoted() {
    const auto end = text_.find('\'', at_);
    if (end == std::string_view::npos) return Error{Errc::Invalid, "command ends inside '...'"};
    word_ += text_.substr(at_, end - at_);
    at_ = end + 1;
    return {};
  }

  Result<void> doubleQuoted() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return {};
      if (c == '$' || c == '`') return Error{Errc::Invalid, "unescaped $ or ` inside \"...\": no shell runs here"};
      const bool escape =
          c == '\\' && at_ < text_.size() && std::string_view("\\\"$`").find(text_[at_]) != std::string_view::npos;
      word_ += escape ? text_[at_++] : c;
    }
    return Error{Errc::Invalid, "command ends inside \"...\""};
  }

  void endWord() {
    if (inWord_) words_.push_back(std::move(word_));
    word_.clear();
    inWord_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool inWord_ = false;
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> splitCommand(std::string_view text) {
  if (text.size() > kMaxCommandBytes) {
    return Error{Errc::Invalid, fmt::format("command is longer than {} bytes", kMaxCommandBytes)};
  }
  if (text.find('\0') != std::string_view::npos) return Error{Errc::Invalid, "command contains a NUL byte"};
  return Splitter(text).run();
}

}  // namespace godwit::mover
