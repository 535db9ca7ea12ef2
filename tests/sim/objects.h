// Small objects for tests of the world.
#pragma once

#include "sim/world.h"

namespace reconciler {

inline ResourcePath at(const World& world, std::string_view api_version, std::string_view kind, std::string ns = "",
                       std::string name = "") {
  return {.type = world.catalogue().by_kind(api_version, kind), .ns = std::move(ns), .name = std::move(name)};
}

inline Json config_map(const std::string& name, Json data) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", std::move(data)}};
}

inline Json pod_template(const Json& labels, const std::string& image) {
  return {{"metadata", {{"labels", labels}}},
          {"spec", {{"containers", Json::array({{{"name", "app"}, {"image", image}}})}}}};
}

inline Json replica_set(const std::string& name, int replicas, const Json& labels, const std::string& image) {
  return {
      {"apiVersion", "apps/v1"},
      {"kind", "ReplicaSet"},
      {"metadata", {{"name", name}, {"labels", labels}}},
      {"spec",
       {{"replicas", replicas}, {"selector", {{"matchLabels", labels}}}, {"template", pod_template(labels, image)}}}};
}

inline Json deployment(const std::string& name, int replicas, const std::string& image) {
  Json made = replica_set(name, replicas, {{"app", name}}, image);
  made["kind"] = "Deployment";
  return made;
}

inline Json service(const std::string& name, const Json& selector) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", name}}},
          {"spec", {{"selector", selector}, {"ports", Json::array({{{"port", 80}}})}}}};
}

/// A VirtualService that sends `weight` percent to `canary` and the rest to `stable`.
inline Json virtual_service(const std::string& name, const std::string& stable, const std::string& canary, int weight) {
  Json routes = Json::array({{{"destination", {{"host", stable}}}, {"weight", 100 - weight}},
                             {{"destination", {{"host", canary}}}, {"weight", weight}}});
  return {{"apiVersion", "networking.istio.io/v1"},
          {"kind", "VirtualService"},
          {"metadata", {{"name", name}}},
          {"spec", {{"hosts", {name}}, {"http", Json::array({{{"name", "primary"}, {"route", routes}}})}}}};
}

}  // namespace reconciler
