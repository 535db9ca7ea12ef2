#include "manifest/pod_template_check.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "manifest/labels.h"
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

constexpr int kPortMax = 65535;

void check_choice(const Field& field, const std::vector<std::string_view>& choices) {
  const std::string text = field.text().value_or("");
  if (text.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return;
  std::string all(choices.front());
  for (size_t i = 1; i < choices.size(); ++i) all += format("{}{}", i + 1 < choices.size() ? ", " : " or ", choices[i]);
  field.problem(format("must be {}", all));
}

void check_ports(const Field& container) {
  std::set<std::string> names;
  for (const Field& port : container["ports"].items()) {
    if (!port["containerPort"].present()) port.problem("containerPort is required");
    port["containerPort"].integer(1, kPortMax);
    check_choice(port["protocol"], {"TCP", "UDP", "SCTP"});
    const std::string name = port["name"].text().value_or("");
    if (!name.empty() && !names.insert(name).second)
      port["name"].problem(format("a port named \"{}\" stands here twice", name));
  }
}

/// The one member of `choices` that `field` must have.
void check_one_of(const Field& field, const std::vector<std::string_view>& choices, std::string_view what) {
  const auto present = std::count_if(choices.begin(), choices.end(), [&](auto name) { return field[name].present(); });
  if (present != 1) field.problem(format("must have exactly one {}, such as {}", what, choices.front()));
}

/// A number, or the name of a port.
void check_port_reference(const Field& port) {
  if (port.json().is_number()) port.integer(1, kPortMax);
  if (port.json().is_null() || port.json() == "") port.problem("must be a port of 1 to 65535 or the name of one");
}

void check_probe(const Field& probe) {
  if (!probe.present()) return;
  check_one_of(probe, {"httpGet", "tcpSocket", "grpc", "exec"}, "way to ask");
  for (const char* how : {"httpGet", "tcpSocket", "grpc"})
    if (probe[how].present()) check_port_reference(probe[how]["port"]);
  for (const char* number : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
                             "failureThreshold", "terminationGracePeriodSeconds"})
    probe[number].integer(0, INT32_MAX);
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
    check_choice(container["imagePullPolicy"], {"Always", "IfNotPresent", "Never"});
    for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) check_probe(container[probe]);
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
    size_t present = 0;
    for (const Json& member : volume.json()) present += !member.is_null();
    if (present > 2) volume.problem("must be of one kind, such as configMap");
  }
  return names;
}

void check_pod(const Field& pod_template) {
  Field pod = pod_template["spec"];
  check_labels(pod_template["metadata"]["labels"]);
  check_annotations(pod_template["metadata"]["annotations"]);
  if (pod["containers"].json().empty()) {
    pod_template.problem("spec.containers is required");
    return;
  }
  std::set<std::string> volumes = volume_names(pod), names;
  check_containers(pod["containers"], volumes, names);
  check_containers(pod["initContainers"], volumes, names);
  if (pod["ephemeralContainers"].present()) pod["ephemeralContainers"].problem("must not be in a template");
  pod["terminationGracePeriodSeconds"].integer(0, INT32_MAX);
  std::string policy = pod["restartPolicy"].text().value_or("Always");
  if (policy != "Always") pod["restartPolicy"].problem(format("must be Always, is {}", policy));
}

}  // namespace

void check_pod_template(const Field& pod_template, const Field& selector) {
  if (!selector.present()) selector.problem("is required");
  if (!pod_template.present()) pod_template.problem("is required");
  bool typed = pod_template.is_map() && check_types(pod_template);
  if (typed) check_pod(pod_template);
  const Json* labels = find(pod_template.json(), {"metadata", "labels"});
  if (check_selector(selector) && !selects(selector.json(), labels ? *labels : Json()))
    selector.problem("does not select the labels of spec.template");
}

}  // namespace reconciler
