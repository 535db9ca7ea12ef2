#include "rollout/gateway_managed_rules.h"

#include <algorithm>

#include "base/text.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

const Json& rules_of(const Json& object) {
  static const Json kNone = Json::array();
  const Json* rules = find(object, {"spec", "rules"});
  return rules && rules->is_array() ? *rules : kNone;
}

/// `testers`, or `testers-2` for a further rule.
bool is_name_of(const std::string& route, const std::string& name) {
  if (!name.starts_with(route)) return false;
  const std::string_view rest = std::string_view(name).substr(route.size());
  return rest.empty() || (rest.size() > 1 && rest[0] == '-' && rest.find_first_not_of("0123456789", 1) == rest.npos);
}

bool is_managed_name_of(const Rollout& rollout, const std::string& name) {
  const auto& routes = rollout.routing.managed_routes;
  return std::any_of(routes.begin(), routes.end(), [&](const std::string& route) { return is_name_of(route, name); });
}

std::vector<std::string> written_names(const Json& object) {
  std::vector<std::string> out;
  const std::string text = text_at(object, {"metadata", "annotations", kManagedRulesAnnotation});
  for (std::string_view name : split(text, ','))
    if (!name.empty()) out.emplace_back(name);
  return out;
}

bool is_mirror(const Json& filter) { return text_at(filter, {"type"}) == "RequestMirror"; }

/// As we would have made it: for requests with certain headers to one of the two Services alone, or with a mirror.
bool looks_made(const Rollout& rollout, const Json& rule) {
  const Json *filters = find(rule, {"filters"}), *backends = find(rule, {"backendRefs"}),
             *matches = find(rule, {"matches"});
  if (filters && filters->is_array() && std::any_of(filters->begin(), filters->end(), is_mirror)) return true;
  if (!backends || !backends->is_array() || backends->size() != 1 || !matches || !matches->is_array()) return false;
  const std::string service = text_at(backends->front(), {"name"});
  return (service == rollout.stable_service || service == rollout.canary_service) &&
         std::all_of(matches->begin(), matches->end(), [](const Json& match) { return match.contains("headers"); });
}

Json canary_backend(const Json& rule, const Traffic& traffic) {
  for (const Json& backend : rule["backendRefs"])
    if (text_at(backend, {"name"}) == traffic.canary.service) return backend;
  return Json::object();
}

/// Headers have no prefixes, but all implementations have regular expressions.
Json gateway_header(const std::string& name, const StringMatch& match) {
  if (match.how == "exact") return {{"name", name}, {"type", "Exact"}, {"value", match.value}};
  const std::string value = match.how == "prefix" ? regex_of(match.value) + ".*" : match.value;
  return {{"name", name}, {"type", "RegularExpression"}, {"value", value}};
}

Json gateway_path(const StringMatch& match) {
  const char* type = match.how == "exact" ? "Exact" : match.how == "prefix" ? "PathPrefix" : "RegularExpression";
  return {{"type", type}, {"value", match.value}};
}

bool names_header(const Json& match, const std::string& name) {
  const Json* headers = find(match, {"headers"});
  return headers && headers->is_array() && std::any_of(headers->begin(), headers->end(), [&](const Json& header) {
           return lower_case(text_at(header, {"name"})) == lower_case(name);
         });
}

/// The matches of the rule that ask for the step's headers besides. One that asks for the same header already would
/// have it twice, which is refused; its requests stay where they are.
Json header_matches(const std::string& kind, const Json& source, const SetHeaderRoute& step) {
  Json all = source.value("matches", Json::array());
  if (all.empty()) all.push_back(Json::object());
  Json out = Json::array();
  for (Json& match : all) {
    if (std::any_of(step.matches.begin(), step.matches.end(),
                    [&](auto& each) { return names_header(match, each.header); }))
      continue;
    // What the API server would write there.
    if (kind == "HTTPRoute" && !match.contains("path")) match["path"] = gateway_path({"prefix", "/"});
    for (const SetHeaderRoute::Match& each : step.matches)
      match["headers"].push_back(gateway_header(each.header, each.value));
    out.push_back(std::move(match));
  }
  return out;
}

Json mirror_matches(const SetMirrorRoute& step) {
  Json out = Json::array();
  for (const SetMirrorRoute::Match& each : step.matches) {
    Json match = {{"path", gateway_path(each.path.value_or(StringMatch{"prefix", "/"}))}};
    if (each.method) match["method"] = each.method->value;
    for (const auto& [header, value] : each.headers) match["headers"].push_back(gateway_header(header, value));
    out.push_back(std::move(match));
  }
  return out;
}

Json mirror_filter(const SetMirrorRoute& step, const Json& backend) {
  Json to = Json::object();
  for (const char* member : {"group", "kind", "name", "namespace", "port"})
    if (backend.contains(member)) to[member] = backend[member];
  Json mirror = {{"backendRef", std::move(to)}};
  if (step.percentage != 100) mirror["percent"] = step.percentage;
  return {{"type", "RequestMirror"}, {"requestMirror", std::move(mirror)}};
}

/// `source` with everything but who it takes and where it sends them.
void add_header_rule(Json& out, const std::string& kind, const Json& source, const SetHeaderRoute& step,
                     const Traffic& traffic) {
  Json rule = source, backend = canary_backend(source, traffic), matches = header_matches(kind, source, step);
  if (matches.empty()) return;
  backend["weight"] = 1;
  rule["matches"] = std::move(matches);
  rule["backendRefs"] = Json::array({std::move(backend)});
  out.push_back(std::move(rule));
}

Json mirror_rule(const Json& source, const SetMirrorRoute& step, const Traffic& traffic) {
  Json rule = source;
  rule["matches"] = mirror_matches(step);
  rule["filters"].push_back(mirror_filter(step, canary_backend(source, traffic)));
  return rule;
}

Json rules_for(const GatewayRouting::Route& route, const Json& rules, const std::vector<size_t>& sources,
               const Traffic& traffic) {
  Json out = Json::array();
  for (const ManagedRoute& step : traffic.managed) {
    if (!route.takes(step)) continue;
    Json made = Json::array();
    if (const auto* header = std::get_if<SetHeaderRoute>(&step)) {
      for (const size_t source : sources) add_header_rule(made, route.kind, rules.at(source), *header, traffic);
    } else {
      made.push_back(mirror_rule(rules.at(sources.front()), std::get<SetMirrorRoute>(step), traffic));
    }
    for (size_t i = 0; i < made.size(); ++i) {
      made[i]["name"] = name_of(step) + (i == 0 ? "" : "-" + std::to_string(i));
      out.push_back(std::move(made[i]));
    }
  }
  return out;
}

/// Without what older definitions of the kind do not keep, where `live` has not kept it.
Json as_kept(Json wanted, const Json& live) {
  if (!live.contains("name")) wanted.erase("name");
  const Json* filters = find(live, {"filters"});
  for (size_t i = 0; filters && wanted.contains("filters") && i < std::min(filters->size(), wanted["filters"].size());
       ++i)
    if (is_mirror(wanted["filters"][i]) && !find((*filters)[i], {"requestMirror", "percent"}))
      wanted["filters"][i]["requestMirror"].erase("percent");
  return wanted;
}

/// `made` before all that was not made.
Json with_rules(const Rollout& rollout, Json object, Json made) {
  const std::set<size_t> ours = managed_rules(rollout, object);
  if (made.empty() && ours.empty()) return object;
  const Json& rules = rules_of(object);
  for (size_t i = 0; i < rules.size(); ++i)
    if (!ours.contains(i)) made.push_back(rules[i]);
  object["spec"]["rules"] = std::move(made);
  return object;
}

Json with_written_names(Json object, const std::vector<std::string>& names) {
  if (written_names(object) == names) return object;
  Json& metadata = object["metadata"];
  if (!names.empty()) {
    metadata["annotations"][std::string(kManagedRulesAnnotation)] = joined(names, ",");
    return object;
  }
  metadata["annotations"].erase(std::string(kManagedRulesAnnotation));
  if (metadata["annotations"].empty()) metadata.erase("annotations");
  return object;
}

}  // namespace

std::set<size_t> managed_rules(const Rollout& rollout, const Json& object) {
  std::set<size_t> out;
  const Json& rules = rules_of(object);
  std::vector<std::string> written = written_names(object);
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string name = text_at(rules[i], {"name"});
    const auto known = std::find(written.begin(), written.end(), name);
    if (name.empty() || (known == written.end() && !is_managed_name_of(rollout, name))) continue;
    if (known != written.end()) written.erase(known);
    out.insert(i);
  }
  for (size_t i = 0; i < std::min(written.size(), rules.size()); ++i) {
    if (rules[i].contains("name") || !looks_made(rollout, rules[i])) break;
    out.insert(i);
  }
  return out;
}

Json with_managed_rules(const GatewayRouting::Route& route, const Rollout& rollout, Json object,
                        const std::vector<size_t>& sources, const Traffic& traffic) {
  const Json& rules = rules_of(object);
  Json wanted = rules_for(route, rules, sources, traffic);
  std::vector<std::string> names;
  for (const Json& rule : wanted) names.push_back(text_at(rule, {"name"}));
  for (const size_t i : managed_rules(rollout, object))
    if (i < wanted.size()) wanted[i] = as_kept(std::move(wanted[i]), rules[i]);
  return with_written_names(with_rules(rollout, std::move(object), std::move(wanted)), names);
}

Json with_managed_rules_of(const Rollout& rollout, const Json& live, Json object) {
  Json made = Json::array();
  for (const size_t i : managed_rules(rollout, live)) made.push_back(rules_of(live)[i]);
  return with_written_names(with_rules(rollout, std::move(object), std::move(made)), written_names(live));
}

}  // namespace reconciler
