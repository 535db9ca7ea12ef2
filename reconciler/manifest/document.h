// A document of a file as JSON, together with where each part of it stands, so that whatever is wrong with it can be
// pointed at. YAML is read as Kubernetes tools read it, but for what is ambiguous: that is refused.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifest/manifest.h"

namespace reconciler {

struct Position {
  int line = 0;
  int column = 0;
  bool operator==(const Position&) const = default;
};

/// Where a value and its parts stand; the tree has the shape of the document.
struct Places {
  Position value;
  Position key;  ///< of a member of a map; else as `value`
  std::map<std::string, Places, std::less<>> members;
  std::vector<Places> items;
};

struct Document {
  Json value;
  Places places;
};

struct Documents {
  std::vector<Document> documents;  ///< those before the first problem
  std::vector<Problem> problems;
};

/// Bounds of spec/gitops.md 5.
struct DocumentLimits {
  size_t file_bytes = size_t(1) << 20;
  size_t documents = 200;
  size_t nodes = 200'000;  ///< of one document; an alias counts as all that it stands for
  int depth = 64;
  int aliases = 100;  ///< of one document
};

/// Reads `*.json` as one JSON document and everything else as YAML. Documents without content are null.
Documents read_documents(const std::string& path, std::string_view text, const DocumentLimits& limits = {});

/// Where the part at a JSON pointer stands; the nearest part above it when it is absent.
Position position_of(const Places& places, std::string_view pointer);

}  // namespace reconciler
