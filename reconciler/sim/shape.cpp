#include "sim/shape.h"

namespace reconciler {
namespace {

enum class Is { Atomic, Set, Keyed };

struct Rule {
  std::string_view path;  ///< members from the root, `/` between them; items of lists take no step
  Is is;
  std::vector<ListKey> keys = {};
  std::string_view patch_key = {};  ///< the first key when empty
};

void add_rule(Shape& root, std::string_view prefix, const Rule& rule) {
  Shape* at = &root;
  std::string path = prefix.empty() ? std::string(rule.path) : std::string(prefix) + "/" + std::string(rule.path);
  for (size_t from = 0; from <= path.size();) {
    size_t to = std::min(path.find('/', from), path.size());
    at = &at->fields[path.substr(from, to - from)];
    from = to + 1;
  }
  switch (rule.is) {
    case Is::Atomic: at->kind = Shape::Kind::Atomic; break;
    case Is::Set: at->kind = Shape::Kind::Set; break;
    case Is::Keyed:
      at->kind = Shape::Kind::Keyed;
      at->keys = rule.keys;
      at->patch_key = rule.patch_key.empty() ? rule.keys.front().field : std::string(rule.patch_key);
      break;
  }
}

const std::vector<Rule>& metadata_rules() {
  static const std::vector<Rule> rules{
      {"metadata/finalizers", Is::Set},
      {"metadata/ownerReferences", Is::Keyed, {{"uid"}}},
  };
  return rules;
}

std::vector<Rule> container_rules(const std::string& list) {
  static std::map<std::string, std::vector<std::string>> names;  // rules hold views into these
  auto& paths = names[list];
  if (paths.empty())
    for (auto member : {"", "/ports", "/env", "/env/valueFrom/secretKeyRef", "/env/valueFrom/configMapKeyRef",
                        "/env/valueFrom/fieldRef", "/env/valueFrom/resourceFieldRef", "/volumeMounts", "/volumeDevices",
                        "/resources/claims"})
      paths.push_back(list + member);
  return {
      {paths[0], Is::Keyed, {{"name"}}},
      {paths[1], Is::Keyed, {{"containerPort"}, {"protocol", "TCP"}}},
      {paths[2], Is::Keyed, {{"name"}}},
      {paths[3], Is::Atomic},
      {paths[4], Is::Atomic},
      {paths[5], Is::Atomic},
      {paths[6], Is::Atomic},
      {paths[7], Is::Keyed, {{"mountPath"}}},
      {paths[8], Is::Keyed, {{"devicePath"}}},
      {paths[9], Is::Keyed, {{"name"}}},
  };
}

void add_pod_rules(Shape& root, std::string_view prefix) {
  static const std::vector<Rule> rules{
      {"volumes", Is::Keyed, {{"name"}}},
      {"imagePullSecrets", Is::Keyed, {{"name"}}},
      {"hostAliases", Is::Keyed, {{"ip"}}},
      {"topologySpreadConstraints", Is::Keyed, {{"topologyKey"}, {"whenUnsatisfiable"}}, "topologyKey"},
      {"schedulingGates", Is::Keyed, {{"name"}}},
      {"resourceClaims", Is::Keyed, {{"name"}}},
      {"nodeSelector", Is::Atomic},
  };
  for (const Rule& rule : rules) add_rule(root, prefix, rule);
  for (auto list : {"containers", "initContainers", "ephemeralContainers"})
    for (const Rule& rule : container_rules(list)) add_rule(root, prefix, rule);
}

Shape with_metadata() {
  Shape root;
  for (const Rule& rule : metadata_rules()) add_rule(root, "", rule);
  return root;
}

Shape workload() {
  Shape root = with_metadata();
  add_rule(root, "", {"spec/selector", Is::Atomic});
  add_rule(root, "", {"status/conditions", Is::Keyed, {{"type"}}});
  add_pod_rules(root, "spec/template/spec");
  for (const Rule& rule : metadata_rules()) add_rule(root, "spec/template", rule);
  return root;
}

std::map<std::string, Shape, std::less<>> make_builtin_shapes() {
  std::map<std::string, Shape, std::less<>> shapes;
  for (auto kind : {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"}) shapes[kind] = workload();

  Shape& pod = shapes["Pod"] = with_metadata();
  add_pod_rules(pod, "spec");
  add_rule(pod, "", {"status/conditions", Is::Keyed, {{"type"}}});
  add_rule(pod, "", {"status/podIPs", Is::Keyed, {{"ip"}}});

  Shape& cron = shapes["CronJob"] = with_metadata();
  add_pod_rules(cron, "spec/jobTemplate/spec/template/spec");

  Shape& service = shapes["Service"] = with_metadata();
  add_rule(service, "", {"spec/selector", Is::Atomic});
  add_rule(service, "", {"spec/ports", Is::Keyed, {{"port"}, {"protocol", "TCP"}}, "port"});
  add_rule(service, "", {"status/conditions", Is::Keyed, {{"type"}}});

  Shape& account = shapes["ServiceAccount"] = with_metadata();
  add_rule(account, "", {"secrets", Is::Keyed, {{"name"}}});

  for (auto kind : {"Namespace", "CustomResourceDefinition", "PodDisruptionBudget", "NetworkPolicy"}) {
    Shape& shape = shapes[kind] = with_metadata();
    add_rule(shape, "", {"status/conditions", Is::Keyed, {{"type"}}});
  }
  add_rule(shapes["Namespace"], "", {"spec/finalizers", Is::Set});
  add_rule(shapes["PodDisruptionBudget"], "", {"spec/selector", Is::Atomic});
  add_rule(shapes["NetworkPolicy"], "", {"spec/podSelector", Is::Atomic});
  return shapes;
}

}  // namespace

const Shape& Shape::field(std::string_view name) const {
  static const Shape plain;
  auto found = fields.find(name);
  return found == fields.end() ? plain : found->second;
}

const Shape& custom_shape() {
  static const Shape shape = with_metadata();
  return shape;
}

const Shape& builtin_shape(std::string_view kind) {
  static const auto shapes = make_builtin_shapes();
  auto found = shapes.find(kind);
  return found == shapes.end() ? custom_shape() : found->second;
}

std::string item_key(const Json& item, const Shape& shape) {
  Json key = Json::object();
  for (const ListKey& part : shape.keys) {
    const Json* value = find(item, {part.field});
    if (value)
      key[part.field] = *value;
    else if (!part.otherwise.is_null())
      key[part.field] = part.otherwise;
  }
  return dump(key);
}

}  // namespace reconciler
