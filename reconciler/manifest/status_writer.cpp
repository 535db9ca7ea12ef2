// Canonical text: the same status is the same bytes, whoever writes it. A line of the file is one fact of the rollout,
// so that a diff in Git reads well.
#include <array>

#include "base/format.h"
#include "manifest/scalar.h"
#include "manifest/status_file.h"
#include "manifest/utf8.h"

namespace reconciler {
namespace {

/// The length of a character that a reader of YAML may take for a line break or nothing at all, as it must be escaped.
size_t append_special(std::string& out, std::string_view text) {
  struct Special {
    std::string_view bytes;
    std::string_view escape;
  };
  constexpr std::array<Special, 5> kSpecial{{{"\xE2\x80\xA8", "\\u2028"},
                                             {"\xE2\x80\xA9", "\\u2029"},
                                             {"\xEF\xBB\xBF", "\\uFEFF"},
                                             {"\xEF\xBF\xBE", "\\uFFFE"},
                                             {"\xEF\xBF\xBF", "\\uFFFF"}}};
  for (const Special& special : kSpecial) {
    if (!text.starts_with(special.bytes)) continue;
    out += special.escape;
    return special.bytes.size();
  }
  return 0;
}

void append_hex(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789ABCDEF";
  out += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
}

std::string quoted(std::string_view text) {
  // Bytes that are no UTF-8 become the replacement character here, so that everything written can be read.
  std::string clean = Json::parse(dump(Json(text))).get<std::string>();
  std::string out = "\"";
  for (size_t i = 0; i < clean.size(); ++i) {
    auto c = static_cast<unsigned char>(clean[i]);
    if (c == '"' || c == '\\') {
      out += {'\\', char(c)};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      append_hex(out, c);
    } else if (c == 0xC2 && static_cast<unsigned char>(clean[i + 1]) < 0xA0) {
      append_hex(out, static_cast<unsigned char>(clean[++i]));  // U+0080 to U+009F: control characters too
    } else if (size_t length = append_special(out, std::string_view(clean).substr(i))) {
      i += length - 1;
    } else {
      out += char(c);
    }
  }
  return out + '"';
}

std::string scalar(std::string_view text) { return is_plain_string(text) ? std::string(text) : quoted(text); }

/// `{name: checkout, namespace: shop}`, without the members that are empty.
class FlowMap {
 public:
  FlowMap& text(std::string_view name, std::string_view value) {
    return value.empty() ? *this : add(name, scalar(value));
  }
  FlowMap& number(std::string_view name, std::optional<int> value) {
    return value ? add(name, std::to_string(*value)) : *this;
  }
  FlowMap& time(std::string_view name, TimePoint value) { return add(name, format_time(value)); }
  FlowMap& flag(std::string_view name, bool value) { return value ? add(name, "true") : *this; }
  std::string done() const { return "{" + members_ + "}"; }

 private:
  FlowMap& add(std::string_view name, const std::string& value) {
    if (!members_.empty()) members_ += ", ";
    members_ += format("{}: {}", name, value);
    return *this;
  }
  std::string members_;
};

std::string line(std::string_view name, std::string_view value) { return format("  {}: {}\n", name, value); }

/// One entry stands in the line of its name; more have a line each.
std::string list(std::string_view name, const std::vector<std::string>& entries) {
  if (entries.empty()) return "";
  if (entries.size() == 1) return line(name, "[" + entries.front() + "]");
  std::string out = format("  {}:\n", name);
  for (const std::string& entry : entries) out += format("    - {}\n", entry);
  return out;
}

std::string revision(const Revision& revision) {
  return FlowMap().text("revision", revision.hash).text("image", revision.image).time("since", revision.since).done();
}

std::string rejected(const Rejected& rejected) {
  return FlowMap()
      .text("revision", rejected.hash)
      .text("image", rejected.image)
      .time("at", rejected.at)
      .text("why", rejected.why)
      .flag("lapsed", rejected.lapsed)
      .done();
}

std::string step(const StepPosition& step) {
  return FlowMap()
      .number("index", step.index)
      .number("count", step.count)
      .time("since", step.since)
      .text("hash", step.hash)
      .done();
}

std::string preview(const Preview& preview) {
  return FlowMap().time("since", preview.since).flag("accepted", preview.accepted).done();
}

std::string run(const ExperimentRun& run) {
  return FlowMap()
      .text("revision", run.hash)
      .time("since", run.since)
      .text("ended", run.ended)
      .flag("failed", run.failed)
      .done();
}

std::string decision(const CarriedOut& decision) {
  return FlowMap()
      .text("action", to_text(decision.verb))
      .text("revision", decision.revision)
      .number("step", decision.step)
      .text("by", decision.by)
      .text("commit", decision.commit)
      .time("at", decision.at)
      .text("reason", decision.reason)
      .done();
}

std::string ignored(const Ignored& ignored) {
  return FlowMap()
      .text("commit", ignored.commit)
      .text("action", to_text(ignored.verb))
      .text("by", ignored.by)
      .text("why", ignored.why)
      .done();
}

std::string trailers(const DeployTrailers& trailers) {
  return FlowMap()
      .flag("skipSteps", trailers.skip_steps)
      .number("pauseAt", trailers.pause_at)
      .text("by", trailers.by)
      .text("ignored", trailers.ignored)
      .done();
}

std::string head(std::string_view kind, const RolloutKey& key) {
  return format("apiVersion: serin.dev/v1alpha1\nkind: {}\nmetadata: {}\n", kind,
                FlowMap().text("name", key.name).text("namespace", key.ns).done());
}

template <class T>
std::vector<std::string> each(const std::vector<T>& values, std::string (*write)(const T&)) {
  std::vector<std::string> out;
  for (const T& value : values) out.push_back(write(value));
  return out;
}

}  // namespace

std::string write_status(const RolloutKey& key, const Status& status) {
  std::string out = head("RolloutStatus", key) + "status:\n";
  out += line("phase", to_text(status.phase));
  if (!status.commit.empty()) out += line("commit", scalar(status.commit));
  if (status.stable) out += line("stable", revision(*status.stable));
  if (status.canary) out += line("canary", revision(*status.canary));
  if (status.step) out += line("step", step(*status.step));
  if (status.preview) out += line("preview", preview(*status.preview));
  if (status.run) out += line("run", run(*status.run));
  if (status.experiment) out += line("experiment", FlowMap().time("since", *status.experiment).done());
  if (!status.returning.empty()) out += line("returning", scalar(status.returning));
  out += line("weight", std::to_string(status.weight));
  if (status.whole != kWholeWeight) out += line("weightOf", std::to_string(status.whole));
  if (status.pong_is_stable) out += line("stablePingPong", "pong");
  out += list("previous", each(status.previous, revision));
  out += list("rejected", each(status.rejected, rejected));
  if (status.collisions) out += line("collisions", std::to_string(*status.collisions));
  if (status.decision) out += line("decision", decision(*status.decision));
  if (status.ignored) out += line("ignored", ignored(*status.ignored));
  if (status.trailers) out += line("trailers", trailers(*status.trailers));
  if (!status.refused.empty()) out += line("refused", scalar(status.refused));
  return out;
}

std::string write_decision(const RolloutKey& key, const RolloutDecision& decision) {
  return head("RolloutDecision", key) + format("spec: {}\n", FlowMap()
                                                                 .text("action", to_text(decision.verb))
                                                                 .text("revision", decision.revision)
                                                                 .number("step", decision.step)
                                                                 .text("reason", decision.reason)
                                                                 .done());
}

}  // namespace reconciler
