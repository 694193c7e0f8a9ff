// Small things about text.
#pragma once
#include <string>
#include <string_view>

namespace godwit {

// At most `bytes` bytes of `text`, never ending inside a UTF-8 character.
std::string cutUtf8(std::string_view text, std::size_t bytes);

}  // namespace godwit
