#include "manifest/json_document.h"

#include <iterator>

#include "base/format.h"
#include "manifest/document_builder.h"

namespace reconciler {
namespace {

/// Where tokens of the text begin. The parser may have read one character more than the token it reports, so each sort
/// of token has its own memory.
struct TokenPlaces {
  Position here{1, 1};
  Position text, word, bracket;
  bool in_text = false, escaped = false, in_word = false;

  void pass(char c) {
    if (in_text) {
      bool closes = c == '"' && !escaped;
      escaped = c == '\\' && !escaped;
      in_text = !closes;
    } else if (c == '"') {
      in_text = true;
      text = here;
      in_word = false;
    } else if (std::string_view("{}[]").find(c) != std::string_view::npos) {
      bracket = here;
      in_word = false;
    } else if (std::string_view(" \t\r\n:,").find(c) != std::string_view::npos) {
      in_word = false;
    } else if (!in_word) {
      in_word = true;
      word = here;
    }
    here.column = c == '\n' ? 1 : here.column + 1;
    here.line += c == '\n';
  }
};

/// Hands out characters and keeps the places on the way.
class TrackingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackingIterator(const char* at, TokenPlaces& places) : at_(at), places_(&places) {}
  reference operator*() const { return *at_; }
  TrackingIterator& operator++() {
    places_->pass(*at_++);
    return *this;
  }
  TrackingIterator operator++(int) {
    TrackingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  TokenPlaces* places_;
};

class JsonReader : public nlohmann::json_sax<Json> {
 public:
  JsonReader(DocumentBuilder& builder, TokenPlaces& places) : builder_(builder), places_(places) {}

  bool null() override { return word(Json()); }
  bool boolean(bool value) override { return word(value); }
  bool number_integer(number_integer_t value) override { return word(value); }
  bool number_unsigned(number_unsigned_t value) override { return word(value); }
  bool number_float(number_float_t value, const string_t&) override { return word(value); }
  bool string(string_t& value) override {
    builder_.scalar(std::move(value), places_.text);
    return !builder_.problem();
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override {
    builder_.begin_map(places_.bracket);
    return !builder_.problem();
  }
  bool key(string_t& name) override {
    builder_.key(std::move(name), places_.text);
    return !builder_.problem();
  }
  bool start_array(size_t) override {
    builder_.begin_list(places_.bracket);
    return !builder_.problem();
  }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool parse_error(size_t, const std::string&, const Json::exception& e) override {
    // The library's text goes on with the bytes it read last, which may be a secret.
    std::string_view what = e.what();
    if (auto dash = what.find(" - "); dash != what.npos) what.remove_prefix(dash + 3);
    what = what.substr(0, what.find("; last read"));
    if (auto bracket = what.find("] "); what.starts_with('[') && bracket != what.npos) what.remove_prefix(bracket + 2);
    builder_.fail(places_.here, format("not JSON: {}", what));
    return false;
  }

 private:
  bool word(Json value) {
    builder_.scalar(std::move(value), places_.word);
    return !builder_.problem();
  }
  bool end() {
    builder_.end();
    return !builder_.problem();
  }

  DocumentBuilder& builder_;
  TokenPlaces& places_;
};

}  // namespace

Documents read_json_document(const std::string& path, std::string_view text, const DocumentLimits& limits) {
  Documents result;
  if (text.find_first_not_of(" \t\r\n") == text.npos) return result;
  TokenPlaces places;
  DocumentBuilder builder(path, limits);
  JsonReader reader(builder, places);
  Json::sax_parse(TrackingIterator(text.data(), places), TrackingIterator(text.data() + text.size(), places), &reader);
  if (builder.problem())
    result.problems.push_back(*builder.problem());
  else
    result.documents.push_back(builder.take());
  return result;
}

}  // namespace reconciler
