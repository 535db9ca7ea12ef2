#include "rollout/typed_encoding.h"

#include <algorithm>

#include "base/check.h"
#include "base/format.h"
#include "base/time.h"
#include "rollout/quantity.h"

namespace reconciler {
namespace {

constexpr std::string_view kOrNull = "|null";

void append_escape(std::string& out, unsigned code) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[code >> shift & 15];
}

/// Escapes as Go's encoder does, which also keeps HTML and JavaScript safe.
void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '<':
      case '>':
      case '&': append_escape(out, c); break;
      case 0xE2:  // U+2028 and U+2029 end a line in JavaScript.
        if (text.compare(i, 3, "\xE2\x80\xA8") == 0 || text.compare(i, 3, "\xE2\x80\xA9") == 0) {
          append_escape(out, text[i + 2] == '\xA8' ? 0x2028 : 0x2029);
          i += 2;
          break;
        }
        out += char(c);
        break;
      default:
        if (c < 0x20)
          append_escape(out, c);
        else
          out += char(c);
    }
  }
  out += '"';
}

std::string_view kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "a map";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "a boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "an integer";
    case Json::value_t::number_float: return "a number";
    case Json::value_t::binary:
    case Json::value_t::discarded: break;
  }
  unreachable();
}

/// Go sorts the members of maps, and so do we; anything that is not typed is copied.
void append_untyped(std::string& out, const Json& value) {
  if (value.is_string()) return append_text(out, value.get_ref<const std::string&>());
  if (!value.is_structured()) {
    out += dump(value);
    return;
  }
  out += value.is_array() ? '[' : '{';
  bool first = true;
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (!first) out += ',';
    first = false;
    if (value.is_object()) {
      append_text(out, item.key());
      out += ':';
    }
    append_untyped(out, *item);
  }
  out += value.is_array() ? ']' : '}';
}

using Types = std::map<std::string, TypeTable::Type, std::less<>>;

/// Writes one value; `value` null stands for absent, which is the type's zero.
class Encoder {
 public:
  explicit Encoder(const Types& types) : types_(types) {}

  void append(const Json& value, std::string_view type, const std::string& pointer) {
    if (type.ends_with(kOrNull)) {
      if (value.is_null()) {
        result.bytes += "null";
        return;
      }
      type.remove_suffix(kOrNull.size());
    }
    if (type.front() == '[') return append_list(value, type.substr(1, type.size() - 2), pointer);
    if (type.front() == '{') return append_map(value, type.substr(1, type.size() - 2), pointer);
    if (type.size() == 1) return append_scalar(value, type.front(), pointer);
    append_struct(value, type, pointer);
  }

  TypedEncoding result;

 private:
  void problem(const std::string& pointer, std::string_view expected, const Json& value) {
    std::string hint = expected == "a string" && value.is_primitive() ? "; write it in quotes" : "";
    result.problems.push_back({pointer, format("must be {}, is {}{}", expected, kind_of(value), hint)});
  }

  void append_scalar(const Json& value, char type, const std::string& pointer) {
    std::string& out = result.bytes;
    switch (type) {
      case 's':
        if (value.is_null())
          out += "\"\"";
        else if (value.is_string())
          append_text(out, value.get_ref<const std::string&>());
        else
          problem(pointer, "a string", value);
        return;
      case 'i':
        if (value.is_null())
          out += '0';
        else if (value.is_number_integer())
          out += dump(value);
        else
          problem(pointer, "an integer", value);
        return;
      case 'b':
        if (value.is_null())
          out += "false";
        else if (value.is_boolean())
          out += dump(value);
        else
          problem(pointer, "true or false", value);
        return;
      case 'x':
        if (value.is_null())
          out += '0';
        else if (value.is_number_integer())
          out += dump(value);
        else if (value.is_string())
          append_text(out, value.get_ref<const std::string&>());
        else
          problem(pointer, "an integer or a string", value);
        return;
      case 'q': return append_quantity(value, pointer);
      case 't': return append_time(value, pointer);
      case 'r': return append_untyped(out, value);
    }
    unreachable();
  }

  void append_quantity(const Json& value, const std::string& pointer) {
    if (value.is_null()) {
      result.bytes += "\"0\"";
      return;
    }
    if (!value.is_string() && !value.is_number()) return problem(pointer, "a quantity such as 500m or 1Gi", value);
    std::string text = value.is_string() ? value.get<std::string>() : dump(value);
    if (auto canonical = canonical_quantity(text))
      append_text(result.bytes, *canonical);
    else
      result.problems.push_back({pointer, format("must be a quantity such as 500m or 1Gi, is \"{}\"", text)});
  }

  void append_time(const Json& value, const std::string& pointer) {
    auto time = value.is_string() ? parse_time(value.get_ref<const std::string&>()) : std::nullopt;
    if (time)
      append_text(result.bytes, format_time(*time));
    else
      problem(pointer, "a time such as 2026-11-20T09:14:03Z", value);
  }

  void append_list(const Json& value, std::string_view type, const std::string& pointer) {
    if (value.is_null()) {
      result.bytes += "null";
      return;
    }
    if (!value.is_array()) return problem(pointer, "a list", value);
    result.bytes += '[';
    for (size_t i = 0; i < value.size(); ++i) {
      if (i) result.bytes += ',';
      if (value[i].is_null())
        result.problems.push_back({member_pointer(pointer, std::to_string(i)), "must not be null"});
      append(value[i], type, member_pointer(pointer, std::to_string(i)));
    }
    result.bytes += ']';
  }

  void append_map(const Json& value, std::string_view type, const std::string& pointer) {
    if (value.is_null()) {
      result.bytes += "null";
      return;
    }
    if (!value.is_object()) return problem(pointer, "a map", value);
    result.bytes += '{';
    bool first = true;
    for (auto item = value.begin(); item != value.end(); ++item) {
      if (!first) result.bytes += ',';
      first = false;
      append_text(result.bytes, item.key());
      result.bytes += ':';
      append(*item, type, member_pointer(pointer, item.key()));
    }
    result.bytes += '}';
  }

  void append_struct(const Json& value, std::string_view name, const std::string& pointer) {
    auto type = types_.find(name);
    CHECK(type != types_.end());
    if (!value.is_null() && !value.is_object()) return problem(pointer, "a map", value);
    static const Json kAbsent;
    result.bytes += '{';
    bool first = true;
    size_t known = 0;
    for (const TypeTable::Member& member : type->second) {
      auto found = value.is_object() ? value.find(member.name) : value.end();
      bool present = value.is_object() && found != value.end();
      known += present;
      const Json& item = present ? *found : kAbsent;
      if (left_out(member, item)) {
        check_type(item, member.type, member_pointer(pointer, member.name));
        continue;
      }
      if (!first) result.bytes += ',';
      first = false;
      append_text(result.bytes, member.name);
      result.bytes += ':';
      append(item, member.type, member_pointer(pointer, member.name));
    }
    result.bytes += '}';
    if (value.is_object() && known < value.size()) note_unknown(value, type->second, pointer);
  }

  /// What is empty must fit its type all the same.
  void check_type(const Json& value, std::string_view type, const std::string& pointer) {
    if (value.is_null()) return;
    const size_t length = result.bytes.size();
    append(value, type, pointer);
    result.bytes.resize(length);
  }

  static bool left_out(const TypeTable::Member& member, const Json& value) {
    switch (member.mark) {
      case TypeTable::Mark::Always: return false;
      case TypeTable::Mark::UnlessAbsent: return value.is_null();
      case TypeTable::Mark::UnlessEmpty: break;
    }
    if (value.is_boolean()) return value == false;
    if (value.is_number()) return value == 0;
    if (value.is_string()) return value.get_ref<const std::string&>().empty();
    return value.empty();
  }

  void note_unknown(const Json& value, const TypeTable::Type& type, const std::string& pointer) {
    for (auto item = value.begin(); item != value.end(); ++item) {
      bool known = std::any_of(type.begin(), type.end(), [&](const auto& member) { return member.name == item.key(); });
      if (!known) result.unknown.push_back(member_pointer(pointer, item.key()));
    }
  }

  const Types& types_;
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace

TypeTable::TypeTable(std::string_view text) {
  for (std::string_view line : split(text, "\n")) {
    auto words = split(line, " ");
    if (words.empty()) continue;
    CHECK(words[0].ends_with(':'));
    Type& type = types_[std::string(words[0].substr(0, words[0].size() - 1))];
    for (std::string_view word : std::vector(words.begin() + 1, words.end())) {
      size_t colon = word.find(':');
      CHECK(colon != word.npos && colon > 0 && colon + 1 < word.size());
      std::string_view name = word.substr(0, colon);
      Mark mark = name.ends_with('?') ? Mark::UnlessEmpty : name.ends_with('*') ? Mark::UnlessAbsent : Mark::Always;
      if (mark != Mark::Always) name.remove_suffix(1);
      type.push_back({std::string(name), mark, std::string(word.substr(colon + 1))});
    }
  }
}

TypedEncoding TypeTable::encode(const Json& value, std::string_view type) const {
  Encoder encoder(types_);
  encoder.append(value, type, "");
  return std::move(encoder.result);
}

std::string dotted(std::string_view pointer) {
  std::string out;
  for (std::string_view token : split(pointer, "/")) {
    bool index = token.find_first_not_of("0123456789") == token.npos;
    if (index) {
      out += format("[{}]", token);
      continue;
    }
    if (!out.empty()) out += '.';
    for (size_t i = 0; i < token.size(); ++i) {
      bool escaped = token[i] == '~' && i + 1 < token.size();
      out += !escaped ? token[i] : token[++i] == '1' ? '/' : '~';
    }
  }
  return out;
}

std::string member_pointer(std::string_view pointer, std::string_view member) {
  std::string out(pointer);
  out += '/';
  for (char c : member) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string safe_hash(std::string_view bytes) {
  uint32_t hash = 2166136261u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  std::string text = std::to_string(hash);
  for (char& digit : text) digit = "456789bcdf"[digit - '0'];
  return text;
}

}  // namespace reconciler
