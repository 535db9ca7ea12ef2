// Events of a parser go to a DocumentBuilder; no tree of the parser's own is made, so an alias bomb costs what it is
// counted for and no more.
#include "manifest/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <istream>
#include <streambuf>

#include "base/format.h"
#include "manifest/document_builder.h"
#include "manifest/json_document.h"
#include "manifest/scalar.h"
#include "manifest/utf8.h"

namespace reconciler {
namespace {

constexpr std::string_view kStandardTag = "tag:yaml.org,2002:";
constexpr std::string_view kPlain = "?";
constexpr std::string_view kQuoted = "!";

std::string_view word_for(const Json& value) {
  if (value.is_boolean()) return "a boolean";
  if (value.is_null()) return "null";
  return "a number";
}

/// Does a scalar that starts in quotes also end so? The parser forgives an open one at the end of the file.
bool quotes_closed(std::string_view rest) {
  // Anchor and tag may stand before the quote.
  while (!rest.empty() && (rest[0] == '&' || rest[0] == '!')) {
    rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n"), rest.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  }
  if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return true;
  char quote = rest[0];
  for (size_t i = 1; i < rest.size(); ++i) {
    if (quote == '"' && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == quote) {
      if (quote == '"' || i + 1 >= rest.size() || rest[i + 1] != '\'') return true;
      ++i;
    }
  }
  return false;
}

/// Reads the characters where they are.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // only ever read
    setg(begin, begin, begin + text.size());
  }
};

class YamlReader : public YAML::EventHandler {
 public:
  YamlReader(const std::string& path, std::string_view text, const DocumentLimits& limits)
      : text_(text), limits_(limits), builder_(path, limits) {}

  Documents read() {
    TextBuffer buffer(text_);
    std::istream stream(&buffer);
    try {
      YAML::Parser parser(stream);
      while (result_.problems.empty() && parser.HandleNextDocument(*this)) {}
    } catch (const YAML::Exception& e) {
      // What was wrong before in the same line may only be a consequence of this.
      Position at = position(e.mark);
      if (builder_.problem() && at.line <= builder_.problem()->line) builder_.restart();
      builder_.fail(at, describe(e));
      keep_problem();
    } catch (const std::exception& e) {
      builder_.fail({1, 1}, format("cannot be read as YAML: {}", e.what()));
      keep_problem();
    }
    return std::move(result_);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    builder_.restart();
    if (result_.documents.size() >= limits_.documents)
      builder_.fail(position(mark), format("more than {} documents in one file", limits_.documents));
  }

  void OnDocumentEnd() override {
    if (keep_problem()) return;
    result_.documents.push_back(builder_.take());
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (builder_.problem()) return;
    if (builder_.wants_key()) return builder_.fail(position(mark), "a key is missing, or null; keys are strings");
    if (auto key = builder_.pending_key(); key && !colon_before(mark, *key))
      return builder_.fail(*key, "a colon is missing after this key");
    builder_.scalar(Json(), position(mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.alias(anchor, position(mark)); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (builder_.problem()) return;
    bool plain = tag == kPlain;
    if (!plain && !quotes_closed(text_.substr(std::min(size_t(mark.pos), text_.size()))))
      return builder_.fail(position(mark), "the quotes of this text are not closed");
    auto value = plain ? resolve_plain(text) : tagged(tag, text);
    if (!value) return builder_.fail(position(mark), value.error().message);
    if (!builder_.wants_key()) return builder_.scalar(std::move(*value), position(mark), anchor);
    if (plain && text == "<<")
      return builder_.fail(position(mark), "merge keys (<<) are not supported; write the fields out");
    if (!value->is_string())
      return builder_.fail(position(mark), format("key {} is read as {} by Kubernetes tools; write it in quotes",
                                                  text.empty() ? "(empty)" : text, word_for(*value)));
    if (anchor) return builder_.fail(position(mark), "an anchor on a key is not supported");
    builder_.key(text, position(mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (tag != kPlain && tag != "tag:yaml.org,2002:seq") return refuse_tag(mark, tag);
    builder_.begin_list(position(mark), anchor);
  }
  void OnSequenceEnd() override { builder_.end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (tag != kPlain && tag != "tag:yaml.org,2002:map") return refuse_tag(mark, tag);
    builder_.begin_map(position(mark), anchor);
  }
  void OnMapEnd() override { builder_.end(); }

 private:
  Position position(const YAML::Mark& mark) const {
    // The parser's column is wrong at the end of the text.
    bool at_end = size_t(mark.pos) >= text_.size();
    size_t line_begin = at_end ? text_.rfind('\n') + 1 : 0;
    return {mark.line + 1, at_end ? int(text_.size() - line_begin) + 1 : mark.column + 1};
  }

  static std::string describe(const YAML::Exception& e) {
    if (e.msg == "bad file") return "nested too deeply";
    return "not YAML: " + e.msg;
  }

  static std::string tag_text(std::string_view tag) {
    return tag.starts_with(kStandardTag) ? "!!" + std::string(tag.substr(kStandardTag.size())) : std::string(tag);
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    builder_.fail(position(mark), format("the tag {} is not supported", tag_text(tag)));
  }

  /// `!!str 5` and the like; the text must be what the tag says.
  static Result<Json> tagged(const std::string& tag, const std::string& text) {
    if (tag == kQuoted || tag == "tag:yaml.org,2002:str") return Json(text);
    std::string_view name = tag;
    if (!name.starts_with(kStandardTag)) return invalid(format("the tag {} is not supported", tag_text(tag)));
    name.remove_prefix(kStandardTag.size());
    auto value = resolve_plain(text);
    if (!value) return value;
    bool fits = (name == "int" && value->is_number_integer()) || (name == "float" && value->is_number()) ||
                (name == "bool" && value->is_boolean()) || (name == "null" && value->is_null());
    if (fits) return value;
    return invalid(format("the tag {} is not supported here", tag_text(tag)));
  }

  /// The parser takes a line without a colon for a key without a value; people mean something else by it.
  bool colon_before(const YAML::Mark& mark, Position key) const {
    if (position(mark) == key) return false;
    size_t at = std::min(size_t(mark.pos), text_.size());
    bool in_flow = at < text_.size() && (text_[at] == ',' || text_[at] == '}');
    if (!in_flow) return true;
    size_t last = at == 0 ? text_.npos : text_.find_last_not_of(" \t\r\n", at - 1);
    return last != text_.npos && text_[last] == ':';
  }

  bool keep_problem() {
    if (builder_.problem() && result_.problems.empty()) result_.problems.push_back(*builder_.problem());
    return builder_.problem().has_value();
  }

  std::string_view text_;
  const DocumentLimits& limits_;
  DocumentBuilder builder_;
  Documents result_;
};

Position position_at(std::string_view text, size_t offset) {
  Position at{1, 1};
  for (char c : text.substr(0, offset)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n';
  }
  return at;
}

}  // namespace

Documents read_documents(const std::string& path, std::string_view text, const DocumentLimits& limits) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  Documents refused;
  if (text.size() > limits.file_bytes) {
    refused.problems.push_back({path, 0, 0, format("the file is larger than {} bytes", limits.file_bytes)});
    return refused;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (auto bad = find_bad_text(text)) {
    Position at = position_at(text, *bad);
    refused.problems.push_back({path, at.line, at.column, "not UTF-8 text"});
    return refused;
  }
  if (path.ends_with(".json")) return read_json_document(path, text, limits);
  return YamlReader(path, text, limits).read();
}

Position position_of(const Places& places, std::string_view pointer) {
  const Places* at = &places;
  bool whole = true;  // the part itself was found, not only something above it
  while (!pointer.empty() && whole) {
    pointer.remove_prefix(1);
    size_t end = std::min(pointer.find('/'), pointer.size());
    std::string token(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (!at->items.empty()) {
      size_t index =
          token.size() < 9 && token.find_first_not_of("0123456789") == token.npos ? std::stoul(token) : SIZE_MAX;
      whole = index < at->items.size();
      if (whole) at = &at->items[index];
      continue;
    }
    for (size_t tilde = 0; (tilde = token.find('~', tilde)) != token.npos; ++tilde)
      token.replace(tilde, 2, token.substr(tilde, 2) == "~1" ? "/" : "~");
    auto member = at->members.find(token);
    whole = member != at->members.end();
    if (whole) at = &member->second;
  }
  return at->key;
}

}  // namespace reconciler
