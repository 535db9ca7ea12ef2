// What a kubelet does to a pod, by the tag of its images: `broken` never becomes ready.
#include "sim/controllers.h"
#include "sim/images.h"

namespace reconciler {
namespace {

Json condition(std::string_view type, bool holds, const std::string& since) {
  return {
      {"type", type}, {"status", holds ? "True" : "False"}, {"lastProbeTime", nullptr}, {"lastTransitionTime", since}};
}

Json container_status(const Json& container, const ImageBehaviour& image, const std::string& since) {
  Json status = {{"name", container.value("name", "")},
                 {"image", container.value("image", "")},
                 {"imageID", ""},
                 {"ready", image.starts},
                 {"started", image.starts},
                 {"restartCount", 0},
                 {"lastState", Json::object()}};
  if (image.starts) {
    status["state"] = {{"running", {{"startedAt", since}}}};
  } else {
    status["state"] = {{"waiting", {{"reason", image.waiting_reason}, {"message", image.waiting_message}}}};
  }
  return status;
}

std::string address_of(uint64_t number) {
  return "10." + std::to_string(64 + (number >> 16 & 63)) + "." + std::to_string(number >> 8 & 255) + "." +
         std::to_string(number & 255);
}

}  // namespace

void start_pod(ControllerContext& context, const ObjectRef& ref) {
  Object pod = context.records.store().get(ref);
  if (!pod) return;
  std::string now = format_time(context.records.now());
  bool all_start = true;
  Json containers = Json::array();
  if (const Json* specs = find(*pod, {"spec", "containers"}); specs && specs->is_array()) {
    for (const Json& container : *specs) {
      ImageBehaviour image = behaviour_of(text_at(container, {"image"}));
      all_start = all_start && image.starts;
      containers.push_back(container_status(container, image, now));
    }
  }
  std::string created = text_at(*pod, {"metadata", "creationTimestamp"});
  Json status = pod->value("status", Json::object());
  status["phase"] = all_start ? "Running" : "Pending";
  status["conditions"] = {condition("PodReadyToStartContainers", true, now), condition("Initialized", true, created),
                          condition("Ready", all_start, all_start ? now : created),
                          condition("ContainersReady", all_start, all_start ? now : created),
                          condition("PodScheduled", true, created)};
  if (!all_start) {
    for (size_t i : {2, 3}) {
      status["conditions"][i]["reason"] = "ContainersNotReady";
      status["conditions"][i]["message"] = "containers with unready status";
    }
  }
  status["containerStatuses"] = containers;
  status["startTime"] = created;
  status["hostIP"] = "127.0.0.1";
  status["podIP"] = address_of(context.records.store().version());
  status["podIPs"] = Json::array({{{"ip", status["podIP"]}}});
  status["qosClass"] = "BestEffort";
  context.records.set_status(ref, std::move(status));
}

}  // namespace reconciler
