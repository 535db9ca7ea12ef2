#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifest/document.h"

namespace reconciler {

/// Builds one document from what a parser reads, in the order of the text, and keeps the limits. After the first
/// problem it ignores the rest.
class DocumentBuilder {
 public:
  /// Anchors are numbers above zero; zero is none.
  using Anchor = size_t;

  DocumentBuilder(const std::string& path, const DocumentLimits& limits) : path_(path), limits_(limits) {}

  void begin_map(Position at, Anchor anchor = 0) { begin(Json::object(), at, anchor); }
  void begin_list(Position at, Anchor anchor = 0) { begin(Json::array(), at, anchor); }
  void key(std::string name, Position at);
  void scalar(Json value, Position at, Anchor anchor = 0);
  void alias(Anchor anchor, Position at);
  void end();

  /// Is a key expected next?
  bool wants_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }
  /// Where the key of the value that comes next stands; nothing inside lists.
  std::optional<Position> pending_key() const;

  /// Forgets everything, for the next document of the file.
  void restart();

  void fail(Position at, std::string message);
  const std::optional<Problem>& problem() const { return problem_; }
  Document take() { return std::move(root_); }

 private:
  struct Open {
    Json value;
    Places places;
    Anchor anchor = 0;
    size_t nodes_before = 0;
    std::optional<std::string> key;
    Position key_at;
  };
  struct Anchored {
    Document document;
    size_t nodes = 0;
    int depth = 0;
  };

  void begin(Json empty, Position at, Anchor anchor);
  bool count(size_t nodes, Position at);
  void remember(Anchor anchor, const Json& value, const Places& places, size_t nodes);
  void add(Json value, Places places);

  const std::string& path_;
  const DocumentLimits& limits_;
  std::vector<Open> open_;
  std::map<Anchor, Anchored> anchors_;
  Document root_;
  size_t nodes_ = 0;
  int aliases_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace reconciler
