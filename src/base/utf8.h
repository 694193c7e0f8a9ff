// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once
#include <cstddef>
#include <string_view>

namespace godwit {

// Bytes of the character that `text` starts with, 1 to 4; 0 when it starts with none (or is empty).
std::size_t utf8Length(std::string_view text);

bool isUtf8(std::string_view text);

}  // namespace godwit
