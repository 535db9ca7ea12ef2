#include "sim/prometheus_api.h"

#include <charconv>
#include <cmath>
#include <set>

#include "base/format.h"
#include "sim/promql.h"
#include "sim/request_traffic.h"

namespace reconciler {
namespace {

constexpr std::string_view kRequests = "istio_requests_total";
constexpr std::string_view kDuration = "istio_request_duration_milliseconds";
constexpr int64_t kPointsMax = 11000;  // as Prometheus

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

Json at_time(TimePoint time, double value) {
  return Json::array({double(time.time_since_epoch().count()) / 1000, number_text(value)});
}

ServerResponse success(Json data) { return {.body = dump({{"status", "success"}, {"data", std::move(data)}}) + "\n"}; }

ServerResponse refused(int status, std::string_view type, const std::string& error) {
  return {.status = status, .body = dump({{"status", "error"}, {"errorType", type}, {"error", error}}) + "\n"};
}

/// Parameters stand in the query of a GET, or form-encoded in the body of a POST.
std::string parameter(const ServerRequest& request, std::string_view name) {
  std::string value = request.parameter(name);
  if (!value.empty() || request.method != "POST") return value;
  std::string_view form = request.body;
  while (!form.empty()) {
    auto pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(pair.size() + 1, form.size()));
    auto equals = pair.find('=');
    if (equals != pair.npos && percent_decoded(pair.substr(0, equals), PlusIs::Space) == name)
      return percent_decoded(pair.substr(equals + 1), PlusIs::Space);
  }
  return "";
}

std::optional<TimePoint> time_of(const std::string& text) {
  if (auto time = parse_time(text)) return time;
  double value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || std::abs(value) > 1e11) return std::nullopt;
  return TimePoint(Duration(int64_t(std::llround(value * 1000))));
}

SourceSeries derived(std::string_view name, SeriesLabels labels, const Counter& counter, double factor) {
  labels["__name__"] = name;
  return {std::move(labels), [&counter, factor](TimePoint time) -> std::optional<double> {
            auto count = counter.at(time);
            if (!count) return std::nullopt;
            return factor == 1 ? *count : std::floor(*count * factor + 1e-6);
          }};
}

double mean_duration() {
  double mean = 0, below = 0, bound_below = 0;
  for (const auto& [bound, share] : RequestTraffic::durations()) {
    mean += (share - below) * (bound + bound_below) / 2;
    below = share;
    bound_below = bound;
  }
  return mean;
}

/// Calls `visit` with every series of the world's traffic.
void visit_series(const RequestTraffic& traffic, bool histograms, const std::function<void(SourceSeries)>& visit) {
  for (const auto& [labels, counter] : traffic.requests()) {
    visit(derived(kRequests, labels, counter, 1));
    if (!histograms) continue;
    std::string name(kDuration);
    visit(derived(name + "_count", labels, counter, 1));
    visit(derived(name + "_sum", labels, counter, mean_duration()));
    SeriesLabels bucket = labels;
    for (const auto& [bound, share] : RequestTraffic::durations()) {
      bucket["le"] = number_text(bound);
      visit(derived(name + "_bucket", bucket, counter, share));
    }
    bucket["le"] = "+Inf";
    visit(derived(name + "_bucket", bucket, counter, 1));
  }
}

SeriesSource source_of(World& world) {
  return [&world](const std::vector<LabelMatcher>& matchers) {
    std::vector<SourceSeries> found;
    auto fits = [&](const SourceSeries& series) {
      for (const LabelMatcher& each : matchers)
        if (!each.matches(series.labels)) return false;
      return true;
    };
    bool only_requests = false;
    for (const LabelMatcher& each : matchers)
      only_requests |= each.name == "__name__" && each.is == LabelMatcher::Is::Equal && each.value == kRequests;
    visit_series(world.traffic(), !only_requests, [&](SourceSeries series) {
      if (fits(series)) found.push_back(std::move(series));
    });
    SourceSeries up{{{"__name__", "up"}, {"job", "serin"}}, [](TimePoint) { return 1.0; }};
    if (fits(up)) found.push_back(std::move(up));
    return found;
  };
}

ServerResponse query(const ServerRequest& request, World& world) {
  std::string at = parameter(request, "time");
  auto time = at.empty() ? world.now() : time_of(at);
  if (!time)
    return refused(400, "bad_data", format("invalid parameter \"time\": cannot parse \"{}\" to a valid timestamp", at));
  auto expression = parse_promql(parameter(request, "query"));
  if (!expression) return refused(400, "bad_data", "invalid parameter \"query\": " + expression.error().message);
  if (expression->kind == Expression::Kind::Selector && expression->range > 0ms) {
    if (expression->range / 1s > kPointsMax) return refused(400, "bad_data", "the range is too long");
    Json result = Json::array();
    for (const SourceSeries& series : source_of(world)(expression->matchers)) {
      Json values = Json::array();
      TimePoint to = *time - expression->offset;
      for (auto t = TimePoint(std::chrono::floor<std::chrono::seconds>(to.time_since_epoch()) -
                              std::chrono::floor<std::chrono::seconds>(expression->range));
           t <= to; t += 1s)
        if (auto value = series.at(t); value && t > to - expression->range) values.push_back(at_time(t, *value));
      if (!values.empty()) result.push_back({{"metric", series.labels}, {"values", values}});
    }
    return success({{"resultType", "matrix"}, {"result", result}});
  }
  auto value = evaluate_promql(*expression, *time, source_of(world));
  if (!value) return refused(422, "execution", value.error().message);
  if (auto* number = std::get_if<double>(&*value))
    return success({{"resultType", "scalar"}, {"result", at_time(*time, *number)}});
  Json result = Json::array();
  for (const VectorElement& element : std::get<InstantVector>(*value))
    result.push_back({{"metric", element.labels}, {"value", at_time(*time, element.value)}});
  return success({{"resultType", "vector"}, {"result", result}});
}

ServerResponse query_range(const ServerRequest& request, World& world) {
  auto start = time_of(parameter(request, "start")), end = time_of(parameter(request, "end"));
  std::string written = parameter(request, "step");
  auto step = parse_duration(written);
  if (!step)
    if (auto fraction = time_of(written)) step = fraction->time_since_epoch();
  if (!start || !end) return refused(400, "bad_data", "invalid parameter \"start\" or \"end\"");
  if (*end < *start)
    return refused(400, "bad_data", "invalid parameter \"end\": end timestamp must not be before start time");
  if (!step || *step <= 0ms) return refused(400, "bad_data", "invalid parameter \"step\"");
  if ((*end - *start) / *step > kPointsMax)
    return refused(400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries");
  auto expression = parse_promql(parameter(request, "query"));
  if (!expression) return refused(400, "bad_data", "invalid parameter \"query\": " + expression.error().message);
  std::map<SeriesLabels, Json> lines;
  SeriesSource source = source_of(world);
  for (TimePoint time = *start; time <= *end; time += *step) {
    auto value = evaluate_promql(*expression, time, source);
    if (!value) return refused(422, "execution", value.error().message);
    InstantVector elements;
    if (auto* number = std::get_if<double>(&*value))
      elements.push_back({{}, *number});
    else
      elements = std::move(std::get<InstantVector>(*value));
    for (const VectorElement& element : elements) {
      Json& line = lines[element.labels];
      if (line.is_null()) line = Json::array();
      line.push_back(at_time(time, element.value));
    }
  }
  Json result = Json::array();
  for (const auto& [labels, values] : lines) result.push_back({{"metric", labels}, {"values", values}});
  return success({{"resultType", "matrix"}, {"result", result}});
}

ServerResponse label_values(World& world, const std::string& label) {
  std::set<std::string> values;
  visit_series(world.traffic(), true, [&](const SourceSeries& series) {
    if (auto found = series.labels.find(label); found != series.labels.end()) values.insert(found->second);
  });
  return success(values);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

ServerResponse exposition(World& world) {
  // A family's lines stand together, so one pass a family.
  std::string body;
  auto family = [&](std::string_view name, std::string_view type, std::string_view help) {
    body += format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    visit_series(world.traffic(), name != kRequests, [&](const SourceSeries& series) {
      const std::string& metric = series.labels.at("__name__");
      if (!metric.starts_with(name)) return;
      auto value = series.at(world.now());
      if (!value) return;
      body += metric + "{";
      bool first = true;
      for (const auto& [label, text] : series.labels) {
        if (label == "__name__") continue;
        body += format("{}{}=\"{}\"", std::exchange(first, false) ? "" : ",", label, escaped(text));
      }
      body += "} " + number_text(*value) + "\n";
    });
  };
  family(kRequests, "counter", "Requests by destination and response code.");
  family(kDuration, "histogram", "Duration of requests.");
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(body)};
}

}  // namespace

ServerResponse answer_prometheus(const ServerRequest& request, World& world) {
  const std::string& path = request.path;
  if (path == "/metrics" || path == "/prometheus/metrics") return exposition(world);
  if (path == "/prometheus/api/v1/query") return query(request, world);
  if (path == "/prometheus/api/v1/query_range") return query_range(request, world);
  if (path == "/prometheus/-/healthy" || path == "/prometheus/-/ready")
    return {.content_type = "text/plain", .body = "Prometheus Server is Healthy.\n"};
  if (path == "/prometheus/api/v1/status/buildinfo") return success({{"version", "2.42.0"}, {"revision", "serin"}});
  constexpr std::string_view kLabel = "/prometheus/api/v1/label/";
  if (path.starts_with(kLabel) && path.ends_with("/values"))
    return label_values(world, path.substr(kLabel.size(), path.size() - kLabel.size() - 7));
  return refused(404, "not_found", "no such endpoint: " + path);
}

}  // namespace reconciler
