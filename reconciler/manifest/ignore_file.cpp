#include "manifest/ignore_file.h"

#include "manifest/field.h"

namespace reconciler {
namespace {

constexpr size_t kRulesMax = 1000;

IgnoreRule read_rule(const Field& field) {
  IgnoreRule rule;
  field.refuse_unknown({"target", "paths"});
  const Field target = field["target"];
  target.refuse_unknown({"group", "kind", "namespace", "name", "labels"});
  auto take = [&](std::string_view name, std::string& into) {
    if (auto text = target[name].text()) into = *text;
  };
  take("group", rule.group);
  take("kind", rule.kind);
  take("namespace", rule.ns);
  take("name", rule.name);
  if (const Field labels = target["labels"]; labels.present() && labels.is_map())
    for (const auto& [name, value] : labels.json().items())
      if (auto text = labels[name].text()) rule.labels[name] = *text;
  if (!field["paths"].present()) field.problem("paths is missing: name at least one, such as /spec/replicas");
  for (const Field& path : field["paths"].items()) {
    auto text = path.text();
    if (!text) continue;
    auto pointer = parse_pointer(*text);
    if (pointer)
      rule.paths.push_back(std::move(*pointer));
    else
      path.problem("must be a JSON pointer such as /spec/replicas");
  }
  return rule;
}

}  // namespace

IgnoreFile read_ignore_file(const std::string& path, std::string_view text) {
  IgnoreFile out;
  Documents read = read_documents(path, text);
  out.problems = std::move(read.problems);
  for (const Document& document : read.documents) {
    if (document.value.is_null()) continue;
    Findings findings{.file = path, .places = document.places};
    const Field root(document.value, findings);
    if (root.is_map()) {
      root.refuse_unknown({"ignore"});
      for (const Field& rule : root["ignore"].items()) {
        if (out.rules.size() == kRulesMax) {
          rule.problem("is one rule too many: at most 1000");
          break;
        }
        out.rules.push_back(read_rule(rule));
      }
    }
    for (Problem& problem : findings.take_problems()) out.problems.push_back(std::move(problem));
  }
  return out;
}

}  // namespace reconciler
