// libgit2 as a whole: its one-time set-up, its error texts, and object ids as text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

struct git_oid;

namespace reconciler {

/// Starts libgit2 with our limits and network streams. Safe to call again; must come before other threads use it.
void set_up_git_library();

/// What the library said last on this thread, without credentials; `fallback` when it said nothing.
std::string last_git_error(std::string_view fallback);

/// An error of a local operation: `<doing>: <what the library said>`.
Error library_error(std::string_view doing);

/// 40 hex digits.
std::string id_text(const git_oid& id);

/// The id that `text` spells in full; the zero id when it spells none.
git_oid id_from(std::string_view text);

/// Whether `text` is a full object id.
bool is_full_id(std::string_view text);

}  // namespace reconciler
