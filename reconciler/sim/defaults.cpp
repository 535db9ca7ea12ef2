#include "sim/defaults.h"

namespace reconciler {
namespace {

void set_default(Json& object, const std::string& name, Json value) {
  if (!object.contains(name) || object[name].is_null()) object[name] = std::move(value);
}

void fill_in_pod_spec(Json& spec) {
  if (!spec.is_object()) return;
  set_default(spec, "restartPolicy", "Always");
  set_default(spec, "terminationGracePeriodSeconds", 30);
  set_default(spec, "dnsPolicy", "ClusterFirst");
  set_default(spec, "securityContext", Json::object());
  set_default(spec, "schedulerName", "default-scheduler");
  for (auto list : {"containers", "initContainers"}) {
    if (!spec.contains(list) || !spec[list].is_array()) continue;
    for (Json& container : spec[list]) {
      if (!container.is_object()) continue;
      set_default(container, "resources", Json::object());
      set_default(container, "terminationMessagePath", "/dev/termination-log");
      set_default(container, "terminationMessagePolicy", "File");
      std::string image = text_at(container, {"image"});
      size_t colon = image.rfind(':'), slash = image.rfind('/');
      bool latest = image.find('@') == image.npos &&
                    (colon == image.npos || (slash != image.npos && colon < slash) || image.substr(colon) == ":latest");
      set_default(container, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
      if (container.contains("ports") && container["ports"].is_array())
        for (Json& port : container["ports"])
          if (port.is_object()) set_default(port, "protocol", "TCP");
    }
  }
}

void fill_in_service(Json& spec) {
  set_default(spec, "type", "ClusterIP");
  set_default(spec, "sessionAffinity", "None");
  if (spec.contains("ports") && spec["ports"].is_array())
    for (Json& port : spec["ports"]) {
      if (!port.is_object()) continue;
      set_default(port, "protocol", "TCP");
      if (port.contains("port")) set_default(port, "targetPort", port["port"]);
    }
  if (spec["type"] == "ExternalName") return;
  set_default(spec, "internalTrafficPolicy", "Cluster");
  set_default(spec, "ipFamilies", {"IPv4"});
  set_default(spec, "ipFamilyPolicy", "SingleStack");
}

void fill_in_deployment(Json& spec) {
  set_default(spec, "strategy", Json::object());
  Json& strategy = spec["strategy"];
  if (!strategy.is_object()) return;
  set_default(strategy, "type", "RollingUpdate");
  if (strategy["type"] == "RollingUpdate") {
    set_default(strategy, "rollingUpdate", Json::object());
    set_default(strategy["rollingUpdate"], "maxUnavailable", "25%");
    set_default(strategy["rollingUpdate"], "maxSurge", "25%");
  }
  set_default(spec, "revisionHistoryLimit", 10);
  set_default(spec, "progressDeadlineSeconds", 600);
}

}  // namespace

void fill_in_defaults(const ResourceType& type, Json& object) {
  if (type.custom) return;
  if (type.kind == "Secret") {
    set_default(object, "type", "Opaque");
    return;
  }
  auto found = object.find("spec");
  if (found == object.end() || !found->is_object()) return;
  Json& spec = *found;
  if (type.kind == "Pod") fill_in_pod_spec(spec);
  if (type.kind == "Service") fill_in_service(spec);
  if (type.group == "apps" && type.kind != "DaemonSet") set_default(spec, "replicas", 1);
  if (type.kind == "Deployment") fill_in_deployment(spec);
  if (type.group == "apps" && find(spec, {"template", "spec"})) fill_in_pod_spec(spec["template"]["spec"]);
}

}  // namespace reconciler
