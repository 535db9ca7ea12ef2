#include "manifest/document_builder.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

int depth_of(const Json& value) {
  int deepest = 0;
  if (!value.is_structured()) return 0;
  for (const Json& item : value) deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

}  // namespace

void DocumentBuilder::fail(Position at, std::string message) {
  if (!problem_) problem_ = Problem{path_, at.line, at.column, std::move(message)};
}

void DocumentBuilder::restart() {
  open_.clear();
  anchors_.clear();
  root_ = {};
  nodes_ = 0;
  aliases_ = 0;
  problem_.reset();
}

std::optional<Position> DocumentBuilder::pending_key() const {
  if (open_.empty() || !open_.back().key) return std::nullopt;
  return open_.back().key_at;
}

bool DocumentBuilder::count(size_t nodes, Position at) {
  nodes_ += nodes;
  if (nodes_ <= limits_.nodes) return true;
  fail(at, format("the document has more than {} values, counting each use of an alias", limits_.nodes));
  return false;
}

void DocumentBuilder::begin(Json empty, Position at, Anchor anchor) {
  if (problem_ || !count(1, at)) return;
  if (wants_key()) return fail(at, "a key must be a string");
  if (int(open_.size()) >= limits_.depth) return fail(at, format("nested deeper than {} levels", limits_.depth));
  Open open;
  open.value = std::move(empty);
  open.places.value = at;
  open.anchor = anchor;
  open.nodes_before = nodes_ - 1;
  open_.push_back(std::move(open));
}

void DocumentBuilder::key(std::string name, Position at) {
  if (problem_ || !count(1, at)) return;
  Open& map = open_.back();
  if (map.value.contains(name)) {
    Position first = map.places.members[name].key;
    return fail(at, format("key \"{}\" stands twice in this map, also at line {}", name, first.line));
  }
  map.key = std::move(name);
  map.key_at = at;
}

void DocumentBuilder::scalar(Json value, Position at, Anchor anchor) {
  if (problem_ || !count(1, at)) return;
  Places places;
  places.value = at;
  if (anchor) remember(anchor, value, places, 1);
  add(std::move(value), std::move(places));
}

void DocumentBuilder::alias(Anchor anchor, Position at) {
  if (problem_) return;
  if (wants_key()) return fail(at, "an alias cannot be a key");
  if (++aliases_ > limits_.aliases) return fail(at, format("more than {} aliases in one document", limits_.aliases));
  auto target = anchors_.find(anchor);
  if (target == anchors_.end()) return fail(at, "this alias stands inside of what it refers to");
  if (!count(target->second.nodes, at)) return;
  if (int(open_.size()) + target->second.depth > limits_.depth)
    return fail(at, format("nested deeper than {} levels", limits_.depth));
  add(target->second.document.value, target->second.document.places);
}

void DocumentBuilder::end() {
  if (problem_) return;
  Open closed = std::move(open_.back());
  open_.pop_back();
  if (closed.anchor) remember(closed.anchor, closed.value, closed.places, nodes_ - closed.nodes_before);
  add(std::move(closed.value), std::move(closed.places));
}

void DocumentBuilder::remember(Anchor anchor, const Json& value, const Places& places, size_t nodes) {
  anchors_[anchor] = Anchored{{value, places}, nodes, depth_of(value)};
}

void DocumentBuilder::add(Json value, Places places) {
  if (open_.empty()) {
    places.key = places.value;
    root_ = Document{std::move(value), std::move(places)};
    return;
  }
  Open& parent = open_.back();
  if (parent.value.is_array()) {
    places.key = places.value;
    parent.value.push_back(std::move(value));
    parent.places.items.push_back(std::move(places));
    return;
  }
  places.key = parent.key_at;
  parent.value[*parent.key] = std::move(value);
  parent.places.members.emplace(*parent.key, std::move(places));
  parent.key.reset();
}

}  // namespace reconciler
