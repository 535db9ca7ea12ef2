// Nothing here is strict, because the end is: what was understood is written again, and unless that gives the same
// bytes nothing was understood.
#include "manifest/canonical_status.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/format.h"
#include "manifest/names.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

/// `{revision: 5d8f7c9b4, since: 2026-11-20T09:14:03Z}`
using Members = std::vector<std::pair<std::string_view, std::string>>;

const std::string* member(const Members& members, std::string_view name) {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::string text_of(const Members& members, std::string_view name) {
  const std::string* value = member(members, name);
  return value ? *value : "";
}

std::optional<int> number_from(std::string_view text, int most) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) return std::nullopt;
  return value;
}

std::optional<std::string> hash_from(const Members& members, std::string_view name) {
  const std::string* value = member(members, name);
  if (!value || label_trouble(*value)) return std::nullopt;
  return *value;
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  /// Up to the next `: `, which is skipped, within this line.
  std::optional<std::string_view> name() {
    size_t end = rest_.find_first_of(":\n");
    if (end == rest_.npos || rest_[end] == '\n') return std::nullopt;
    std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    skip(" ");
    return name;
  }

  std::optional<std::string> scalar() {
    if (skip("\"")) return quoted();
    size_t end = std::min(rest_.find_first_of(",}]\n"), rest_.size());
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

  std::optional<Members> members() {
    if (!skip("{")) return std::nullopt;
    Members out;
    do {
      auto key = name();
      auto value = key ? scalar() : std::nullopt;
      if (!value) return std::nullopt;
      out.emplace_back(*key, std::move(*value));
    } while (skip(", "));
    if (!skip("}")) return std::nullopt;
    return out;
  }

 private:
  std::optional<std::string> quoted() {
    std::string out;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\n') return std::nullopt;
      if (c != '\\') {
        out += c;
      } else if (skip("n")) {
        out += '\n';
      } else if (skip("t")) {
        out += '\t';
      } else if (skip("\\")) {
        out += '\\';
      } else if (skip("\"")) {
        out += '"';
      } else {
        return std::nullopt;  // the rarer ones are left to YAML
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

std::optional<Revision> revision_from(const Members& members) {
  auto hash = hash_from(members, "revision");
  auto since = parse_time(text_of(members, "since"));
  if (!hash || !since) return std::nullopt;
  return Revision{std::move(*hash), text_of(members, "image"), *since};
}

std::optional<Rejected> rejected_from(const Members& members) {
  auto hash = hash_from(members, "revision");
  auto at = parse_time(text_of(members, "at"));
  if (!hash || !at) return std::nullopt;
  return Rejected{std::move(*hash), text_of(members, "image"), *at, text_of(members, "why"),
                  member(members, "lapsed") != nullptr};
}

std::optional<StepPosition> step_from(const Members& members) {
  auto count = number_from(text_of(members, "count"), 10'000);
  auto index = number_from(text_of(members, "index"), count.value_or(0));
  auto since = parse_time(text_of(members, "since"));
  const bool has_hash = member(members, "hash") != nullptr;
  auto hash = hash_from(members, "hash");
  if (!count || !index || !since || (has_hash && !hash)) return std::nullopt;
  return StepPosition{*index, *count, *since, hash.value_or("")};
}

std::optional<Preview> preview_from(const Members& members) {
  auto since = parse_time(text_of(members, "since"));
  if (!since) return std::nullopt;
  return Preview{*since, member(members, "accepted") != nullptr};
}

std::optional<ExperimentRun> run_from(const Members& members) {
  auto hash = hash_from(members, "revision");
  auto since = parse_time(text_of(members, "since"));
  if (!hash || !since) return std::nullopt;
  return ExperimentRun{std::move(*hash), *since, text_of(members, "ended"), member(members, "failed") != nullptr};
}

std::optional<TimePoint> experiment_from(const Members& members) { return parse_time(text_of(members, "since")); }

std::optional<CarriedOut> decision_from(const Members& members) {
  auto verb = parse_verb(text_of(members, "action"));
  auto revision = hash_from(members, "revision");
  auto at = parse_time(text_of(members, "at"));
  if (!verb || !revision || !at) return std::nullopt;
  return CarriedOut{*verb,
                    std::move(*revision),
                    number_from(text_of(members, "step"), 10'000),
                    text_of(members, "by"),
                    text_of(members, "commit"),
                    *at,
                    text_of(members, "reason")};
}

std::optional<Ignored> ignored_from(const Members& members) {
  auto verb = parse_verb(text_of(members, "action"));
  if (!verb || !member(members, "commit")) return std::nullopt;
  return Ignored{text_of(members, "commit"), *verb, text_of(members, "by"), text_of(members, "why")};
}

std::optional<DeployTrailers> trailers_from(const Members& members) {
  return DeployTrailers{member(members, "skipSteps") != nullptr, number_from(text_of(members, "pauseAt"), 100),
                        text_of(members, "by"), text_of(members, "ignored")};
}

class Reader {
 public:
  explicit Reader(std::string_view text) : cursor_(text) {}

  std::optional<std::pair<RolloutKey, Status>> read() {
    if (!cursor_.skip("apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\nmetadata: ")) return std::nullopt;
    auto metadata = cursor_.members();
    if (!metadata || !cursor_.skip("\nstatus:\n")) return std::nullopt;
    while (!cursor_.at_end()) {
      if (!cursor_.skip("  ")) return std::nullopt;
      auto name = cursor_.name();
      if (!name || !read_field(*name)) return std::nullopt;
    }
    if (status_.weight > status_.whole) return std::nullopt;
    return std::pair(RolloutKey{.ns = text_of(*metadata, "namespace"), .name = text_of(*metadata, "name")}, status_);
  }

 private:
  bool read_field(std::string_view name) {
    if (name == "stable") return read_one(status_.stable, revision_from);
    if (name == "canary") return read_one(status_.canary, revision_from);
    if (name == "step") return read_one(status_.step, step_from);
    if (name == "preview") return read_one(status_.preview, preview_from);
    if (name == "run") return read_one(status_.run, run_from);
    if (name == "experiment") return read_one(status_.experiment, experiment_from);
    if (name == "decision") return read_one(status_.decision, decision_from);
    if (name == "ignored") return read_one(status_.ignored, ignored_from);
    if (name == "trailers") return read_one(status_.trailers, trailers_from);
    if (name == "previous") return read_list(status_.previous, revision_from);
    if (name == "rejected") return read_list(status_.rejected, rejected_from);
    auto value = cursor_.scalar();
    return value && cursor_.skip("\n") && set(name, std::move(*value));
  }

  bool set(std::string_view name, std::string value) {
    if (name == "commit") status_.commit = std::move(value);
    if (name == "returning") status_.returning = std::move(value);
    if (name == "refused") status_.refused = std::move(value);
    if (name == "stablePingPong") status_.pong_is_stable = true;
    if (name == "phase") {
      auto phase = parse_phase(value);
      status_.phase = phase.value_or(Phase::Degraded);
      return phase.has_value();
    }
    if (name == "collisions") return bool(status_.collisions = number_from(value, INT32_MAX));
    if (name == "weight") {
      auto weight = number_from(value, INT32_MAX);
      status_.weight = weight.value_or(0);
      return weight.has_value();
    }
    if (name == "weightOf") {
      auto whole = number_from(value, INT32_MAX);
      status_.whole = whole.value_or(0);
      return status_.whole > 0;
    }
    return true;
  }

  template <class T>
  bool read_one(std::optional<T>& into, std::optional<T> (*from)(const Members&)) {
    auto members = cursor_.members();
    return members && (into = from(*members)) && cursor_.skip("\n");
  }

  template <class T>
  bool read_list(std::vector<T>& into, std::optional<T> (*from)(const Members&)) {
    if (cursor_.skip("[")) return read_entry(into, from) && cursor_.skip("]\n");
    if (!cursor_.skip("\n")) return false;
    while (cursor_.skip("    - "))
      if (!read_entry(into, from) || !cursor_.skip("\n")) return false;
    return true;
  }

  template <class T>
  bool read_entry(std::vector<T>& into, std::optional<T> (*from)(const Members&)) {
    auto members = cursor_.members();
    auto entry = members ? from(*members) : std::nullopt;
    if (entry) into.push_back(std::move(*entry));
    return entry.has_value();
  }

  Cursor cursor_;
  Status status_;
};

}  // namespace

std::optional<Status> read_canonical_status(const std::string& path, std::string_view text) {
  auto read = Reader(text).read();
  if (!read) return std::nullopt;
  const auto& [key, status] = *read;
  const bool placed = std::count(path.begin(), path.end(), '/') >= 3;
  if (placed && !("/" + path).ends_with(format("/{}/{}.yaml", key.ns, key.name))) return std::nullopt;
  if (write_status(key, status) != text) return std::nullopt;
  return status;
}

}  // namespace reconciler
