// JSON as text, where building a tree of all of it would cost more than it is worth: lists of thousands of objects,
// each with its history of field managers that nobody here reads.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace godwit::kube {

// Takes `"managedFields":[...]` out of the text, in place, with its comma. Text that is no JSON stays as harmless as it
// was.
void dropManagedFields(std::string& text);

// A List as the server sends it: `item` gets each element of its "items", one at a time; what is returned is the rest,
// "items" left out. Invalid: no JSON object, or an element that does not parse.
Result<Json> parseList(std::string_view text, const std::function<void(Json)>& item);

}  // namespace godwit::kube
