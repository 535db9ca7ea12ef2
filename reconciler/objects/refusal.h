#pragma once

#include <string>
#include <string_view>

#include "base/object_key.h"

namespace reconciler {

/// Does the API server refuse because a field cannot be changed on an object that exists?
bool is_immutable_refusal(std::string_view words);

/// May an object of this kind be deleted and made anew when a manifest asks for it? Never what holds data, or others.
bool may_be_replaced(const ObjectKey& key);

/// The refusal of such a change to this object in one line, with what to do about it.
std::string immutable_advice(const ObjectKey& key, std::string_view words);

}  // namespace reconciler
