// Text for people who watch: one live region at the bottom of a terminal that is redrawn in place, plain lines above
// it; where the output is no terminal, plain lines only.
#pragma once
#include <string>

#include "base/clock.h"

namespace godwit::cli {

class Terminal {
 public:
  explicit Terminal(int fd = 1);
  ~Terminal();  // leaves the last live text standing

  bool live() const { return live_; }
  std::size_t width() const;  // columns; 0 when no terminal

  void line(const std::string& text);  // stays
  void draw(const std::string& text);  // replaces the live region ("" clears it); nothing when not live

 private:
  void put(const std::string& text) const;
  int fd_;
  bool live_;
  std::size_t drawn_ = 0;  // lines of the live region on screen
};

// "[#########.........]  47%", `width` cells between the brackets; `fraction` is clamped to [0, 1].
std::string progressBar(double fraction, std::size_t width = 30);

std::string humanBytes(std::int64_t bytes);  // "1.2 MiB"
std::string grouped(std::int64_t number);    // "41,022"

}  // namespace godwit::cli
