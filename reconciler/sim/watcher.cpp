#include "sim/watcher.h"

namespace reconciler {
namespace {

std::string event_line(std::string_view kind, const std::string& object) {
  return "{\"type\":\"" + std::string(kind) + "\",\"object\":" + object + "}\n";
}

}  // namespace

bool Watcher::concerns(const Json& object) const {
  if (!path.ns.empty() && text_at(object, {"metadata", "namespace"}) != path.ns) return false;
  if (!path.name.empty() && text_at(object, {"metadata", "name"}) != path.name) return false;
  return selectors.match(object);
}

std::string Watcher::line(const StoreEvent& event, TimePoint now) const {
  bool is = event.kind != StoreEvent::Kind::Deleted && concerns(*event.object);
  bool was = event.previous && concerns(*event.previous);
  if (!is && !was) return "";
  // An object that no longer fits the selectors has gone, as far as this watch is concerned.
  std::string_view kind = !is ? "DELETED" : was ? "MODIFIED" : "ADDED";
  return event_line(kind, dump(shown_object(path, event.object, how, now)));
}

std::string Watcher::added_line(const Object& object, TimePoint now) const {
  return event_line("ADDED", dump(shown_object(path, object, how, now)));
}

std::string Watcher::bookmark_line(uint64_t version, bool ends_initial_events) const {
  Json object = {{"kind", path.type->kind},
                 {"apiVersion", path.type->api_version(path.version)},
                 {"metadata", {{"resourceVersion", std::to_string(version)}, {"creationTimestamp", nullptr}}}};
  if (ends_initial_events) object["metadata"]["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  return event_line("BOOKMARK", dump(object));
}

std::string error_line(const ApiError& error) { return event_line("ERROR", dump(status_document(error))); }

}  // namespace reconciler
