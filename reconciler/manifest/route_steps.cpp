#include "manifest/route_steps.h"

#include "base/format.h"

namespace reconciler {
namespace {

/// `{exact: x}`, `{prefix: x}` or `{regex: x}`: exactly one of them.
StringMatch read_string_match(const Field& match) {
  StringMatch out;
  if (!match.present()) {
    match.problem("is required: one of exact, prefix and regex");
    return out;
  }
  if (!match.is_map()) return out;
  match.refuse_unknown({"exact", "prefix", "regex"});
  int ways = 0;
  for (const char* how : {"exact", "prefix", "regex"}) {
    Field value = match[how];
    if (!value.present()) continue;
    ++ways;
    out = {how, value.text().value_or("")};
    if (out.value.empty()) value.problem("must not be empty");
  }
  if (ways != 1) match.problem("must have exactly one of exact, prefix and regex");
  return out;
}

std::string read_route_name(const Field& route) {
  const std::string name = route["name"].text().value_or("");
  if (name.empty()) route.problem("name is required");
  return name;
}

SetHeaderRoute read_header_route(const Field& route) {
  SetHeaderRoute out;
  if (!route.is_map()) return out;
  route.refuse_unknown({"name", "match"});
  out.name = read_route_name(route);
  for (const Field& match : route["match"].items()) {
    if (!match.is_map()) continue;
    match.refuse_unknown({"headerName", "headerValue"});
    const std::string header = match["headerName"].text().value_or("");
    if (header.empty()) match.problem("headerName is required");
    out.matches.push_back({header, read_string_match(match["headerValue"])});
  }
  return out;
}

SetMirrorRoute::Match read_mirror_match(const Field& match) {
  SetMirrorRoute::Match out;
  match.refuse_unknown({"method", "path", "headers"});
  if (match["method"].present()) out.method = read_string_match(match["method"]);
  if (match["path"].present()) out.path = read_string_match(match["path"]);
  Field headers = match["headers"];
  if (headers.present() && headers.is_map())
    for (const auto& [name, value] : headers.json().items()) out.headers[name] = read_string_match(headers[name]);
  return out;
}

SetMirrorRoute read_mirror_route(const Field& route) {
  SetMirrorRoute out;
  if (!route.is_map()) return out;
  route.refuse_unknown({"name", "match", "percentage"});
  out.name = read_route_name(route);
  out.percentage = route["percentage"].integer(0, 100).value_or(100);
  for (const Field& match : route["match"].items())
    if (match.is_map()) out.matches.push_back(read_mirror_match(match));
  return out;
}

}  // namespace

std::optional<ManagedRoute> read_route_step(const Field& step) {
  if (step["setHeaderRoute"].present()) return read_header_route(step["setHeaderRoute"]);
  if (step["setMirrorRoute"].present()) return read_mirror_route(step["setMirrorRoute"]);
  return std::nullopt;
}

}  // namespace reconciler
