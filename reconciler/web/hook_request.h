// One hook as it came in: is it from whom it says, and what does it ask for? Pure. Everything a client sends may be
// absent, huge or of another type.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"
#include "web/hook_file.h"

namespace reconciler {

/// Whether one of the hook's secrets signed the raw bytes of the body, as this provider does it. Takes as long when
/// nothing fits as when something does.
bool is_authentic(const Hook& hook, const ServerRequest& request, TimePoint now);

/// What tells this delivery from others; empty when the provider sent nothing.
std::string delivery_of(const Hook& hook, const ServerRequest& request);

enum class HookEvent { Push, Other };

struct HookContent {
  HookEvent event = HookEvent::Other;
  std::vector<std::string> refs = {};  ///< full names of what was pushed; empty when it does not say
};

/// What an authentic hook is about. `Invalid` when its body cannot be read.
Result<HookContent> read_hook(const Hook& hook, const ServerRequest& request);

}  // namespace reconciler
