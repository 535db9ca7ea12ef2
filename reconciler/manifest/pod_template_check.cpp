#include "manifest/pod_template_check.h"

#include <set>

#include "base/format.h"
#include "manifest/names.h"
#include "rollout/pod_template_hash.h"

namespace reconciler {
namespace {

/// Members of the wrong type, as the encoder for the hash finds them. True when there are none.
bool check_types(const Field& pod_template) {
  Findings& findings = pod_template.findings();
  const std::string& base = pod_template.pointer();
  TypedEncoding encoding = encode_pod_template(pod_template.json());
  for (const TypeProblem& problem : encoding.problems) findings.problem(base + problem.pointer, problem.message);
  for (const std::string& unknown : encoding.unknown)
    findings.warning(base + unknown, "this field is not part of the pod API and is ignored");
  return encoding.problems.empty();
}

void check_ports(const Field& container) {
  for (const Field& port : container["ports"].items()) {
    if (!port["containerPort"].present()) port.problem("containerPort is required");
    port["containerPort"].integer(1, 65535);
  }
}

void check_environment(const Field& container) {
  for (const Field& variable : container["env"].items()) {
    if (variable["name"].text().value_or("").empty()) variable.problem("name is required");
    if (variable["value"].present() && !variable["value"].text().value_or("").empty() &&
        variable["valueFrom"].present())
      variable.problem("must have value or valueFrom, not both");
  }
}

void check_mounts(const Field& container, const std::set<std::string>& volumes) {
  for (const Field& mount : container["volumeMounts"].items()) {
    std::string name = mount["name"].text().value_or("");
    if (!volumes.contains(name)) mount["name"].problem(format("there is no volume \"{}\" in this template", name));
    if (mount["mountPath"].text().value_or("").empty()) mount.problem("mountPath is required");
  }
}

void check_containers(const Field& containers, const std::set<std::string>& volumes, std::set<std::string>& names) {
  for (const Field& container : containers.items()) {
    std::string name = container["name"].text().value_or("");
    if (name.empty())
      container.problem("name is required");
    else if (auto trouble = label_trouble(name))
      container["name"].problem(*trouble);
    else if (!names.insert(name).second)
      container["name"].problem(format("a container named \"{}\" stands here twice", name));
    std::string image = container["image"].text().value_or("");
    if (image.empty())
      container.problem("image is required");
    else if (image.find_first_of(" \t\r\n") != image.npos)
      container["image"].problem("must not contain blanks");
    check_ports(container);
    check_environment(container);
    check_mounts(container, volumes);
  }
}

std::set<std::string> volume_names(const Field& pod) {
  std::set<std::string> names;
  for (const Field& volume : pod["volumes"].items()) {
    std::string name = volume["name"].text().value_or("");
    if (name.empty())
      volume.problem("name is required");
    else if (auto trouble = label_trouble(name))
      volume["name"].problem(*trouble);
    else if (!names.insert(name).second)
      volume["name"].problem(format("a volume named \"{}\" stands here twice", name));
  }
  return names;
}

void check_pod(const Field& pod_template) {
  Field pod = pod_template["spec"];
  if (pod["containers"].json().empty()) {
    pod_template.problem("spec.containers is required");
    return;
  }
  std::set<std::string> volumes = volume_names(pod), names;
  check_containers(pod["containers"], volumes, names);
  check_containers(pod["initContainers"], volumes, names);
  if (pod["ephemeralContainers"].present()) pod["ephemeralContainers"].problem("must not be in a template");
  std::string policy = pod["restartPolicy"].text().value_or("Always");
  if (policy != "Always") pod["restartPolicy"].problem(format("must be Always, is {}", policy));
}

/// One of matchExpressions; does it select a pod whose label has `value` (nothing: no such label)?
bool expression_matches(const Field& expression, const std::optional<std::string>& value) {
  std::set<std::string> values;
  for (const Field& item : expression["values"].items()) values.insert(item.text().value_or(""));
  std::string op = expression["operator"].text().value_or("");
  if (op == "In" || op == "NotIn") {
    if (values.empty()) expression.problem(format("operator {} needs values", op));
    bool listed = value && values.contains(*value);
    return values.empty() || (op == "In") == listed;
  }
  if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) expression.problem(format("operator {} takes no values", op));
    return (op == "Exists") == value.has_value();
  }
  expression.problem("operator must be In, NotIn, Exists or DoesNotExist");
  return true;
}

void check_selector(const Field& selector, const Json& labels) {
  auto label = [&](const std::string& key) -> std::optional<std::string> {
    const Json* value = find(labels, {key});
    return value && value->is_string() ? std::optional(value->get<std::string>()) : std::nullopt;
  };
  bool matches = true, readable = true;
  Field wanted = selector["matchLabels"];
  if (wanted.is_map()) {
    for (auto item = wanted.json().begin(); item != wanted.json().end(); ++item) {
      auto value = wanted[item.key()].text();
      readable = readable && value;
      matches = matches && value && label(item.key()) == value;
    }
  }
  for (const Field& expression : selector["matchExpressions"].items()) {
    auto key = expression["key"].text();
    if (!key || key->empty()) {
      expression.problem("key is required");
      readable = false;
    } else {
      matches = expression_matches(expression, label(*key)) && matches;
    }
  }
  if (wanted.json().empty() && selector["matchExpressions"].json().empty())
    selector.problem("must not be empty");
  else if (readable && !matches)
    selector.problem("does not select the labels of spec.template");
}

}  // namespace

void check_pod_template(const Field& pod_template, const Field& selector) {
  if (!selector.present()) selector.problem("is required");
  if (!pod_template.present()) pod_template.problem("is required");
  bool typed = pod_template.is_map() && check_types(pod_template);
  if (typed) check_pod(pod_template);
  if (!selector.is_map()) return;
  const Json* labels = find(pod_template.json(), {"metadata", "labels"});
  check_selector(selector, labels ? *labels : Json());
}

}  // namespace reconciler
