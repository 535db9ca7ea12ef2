#pragma once

#include <string>
#include <string_view>

namespace reconciler {

/// Does the API server refuse because a field cannot be changed on an object that exists?
bool is_immutable_refusal(std::string_view words);

/// The refusal in one line, with what to do about it.
std::string immutable_advice(std::string_view words);

}  // namespace reconciler
