// One watch: what it selects, what it has been told, and where its lines go.
#pragma once

#include <memory>
#include <string>

#include "sim/api_call.h"

namespace reconciler {

struct Watcher {
  ResourcePath path;
  Selectors selectors;
  Presentation how;
  uint64_t from = 0;            ///< events after this version; 0: the present objects first
  bool initial_events = false;  ///< asked for with sendInitialEvents: a bookmark ends them
  bool bookmarks = false;
  TimePoint ends = {};
  TimePoint next_bookmark = {};
  std::shared_ptr<ServerStream> stream = nullptr;  ///< once open

  bool concerns(const Json& object) const;
  /// The line for an event; empty when it does not concern this watch.
  std::string line(const StoreEvent& event, TimePoint now) const;
  std::string added_line(const Object& object, TimePoint now) const;
  std::string bookmark_line(uint64_t version, bool ends_initial_events) const;
};

/// An ERROR event that carries a Status.
std::string error_line(const ApiError& error);

}  // namespace reconciler
