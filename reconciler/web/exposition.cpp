#include "web/exposition.h"

#include <charconv>
#include <cmath>

namespace reconciler {

std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [label, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(label).append("=\"");
    for (char c : value) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n') out += "\\n";
      if (c != '\n') out += c;
    }
    out += '"';
  }
  return out;
}

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  text_.append(type).append("\n");
}

void Exposition::sample(std::string_view ending, std::string_view labels, double value) {
  text_.append(name_).append(ending);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(number_text(value)).append("\n");
}

}  // namespace reconciler
