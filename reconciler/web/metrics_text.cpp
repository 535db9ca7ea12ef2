// Names and labels of the metrics. No commit ids or messages in labels, except of *_info.
#include <functional>

#include "base/format.h"
#include "web/pages.h"

namespace reconciler {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

std::string escaped(const std::string& value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

class Exposition {
 public:
  /// A gauge and its samples, which `fill` adds.
  void gauge(std::string_view name, std::string_view help, const std::function<void()>& fill) {
    name_ = name;
    text_ += format("# HELP {} {}\n# TYPE {} gauge\n", name, help, name);
    fill();
  }

  void add(const Labels& labels, size_t value) {
    std::string list;
    for (const auto& [label, text] : labels)
      list += format("{}{}=\"{}\"", list.empty() ? "" : ",", label, escaped(text));
    text_ += labels.empty() ? format("{} {}\n", name_, value) : format("{}{{}} {}\n", name_, list, value);
  }

  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

void add_rollouts(Exposition& out, const Report& report) {
  auto each = [&](auto&& add) {
    return [&report, add] {
      for (const RolloutReport& rollout : report.rollouts)
        if (rollout.status) add(*rollout.status, Labels{{"namespace", rollout.key.ns}, {"name", rollout.key.name}});
    };
  };
  out.gauge("serin_rollout_phase", "The phase a rollout is in.", each([&](const Status& status, Labels labels) {
              labels.emplace_back("phase", to_text(status.phase));
              out.add(labels, 1);
            }));
  out.gauge("serin_rollout_weight", "The canary's share of traffic in percent.",
            each([&](const Status& status, const Labels& labels) { out.add(labels, size_t(status.weight)); }));
  out.gauge("serin_rollout_step", "The number of canary steps completed.",
            each([&](const Status& status, const Labels& labels) {
              if (status.step) out.add(labels, size_t(status.step->index));
            }));
  out.gauge("serin_rollout_info", "The images a rollout consists of.", each([&](const Status& status, Labels labels) {
              labels.resize(4);
              for (const auto& [role, revision] : {std::pair("stable", &status.stable), {"canary", &status.canary}}) {
                if (!*revision) continue;
                labels[2] = {"role", role};
                labels[3] = {"image", (*revision)->image};
                out.add(labels, 1);
              }
            }));
  out.gauge("serin_rollout_trouble", "Rollouts about which nothing is decided or done until something is put right.",
            [&] {
              for (const RolloutReport& rollout : report.rollouts)
                if (!rollout.trouble.empty()) out.add({{"namespace", rollout.key.ns}, {"name", rollout.key.name}}, 1);
            });
}

}  // namespace

std::string metrics_text(const Published& published) {
  Exposition out;
  out.gauge("serin_build_info", "The version that runs.", [&] { out.add({{"version", published.version}}, 1); });
  if (!published.report) return out.take();
  const Report& report = *published.report;
  out.gauge("serin_git_head_info", "The commit whose manifests are in force.", [&] {
    if (!report.head.empty()) out.add({{"commit", report.head}}, 1);
  });
  out.gauge("serin_git_push_queue", "Recorded transitions that are not pushed yet.",
            [&] { out.add({}, report.unpushed); });
  out.gauge("serin_git_trouble", "The repository cannot be followed or pushed to.",
            [&] { out.add({}, !report.git_trouble.empty()); });
  out.gauge("serin_cluster_trouble", "The cluster cannot be observed.",
            [&] { out.add({}, !report.cluster_trouble.empty()); });
  out.gauge("serin_objects_failed", "Objects that are not as Git asks for.",
            [&] { out.add({}, report.failed_objects.size()); });
  out.gauge("serin_manifest_problems", "What is wrong with files in Git.",
            [&] { out.add({}, report.problems.size()); });
  add_rollouts(out, report);
  return out.take();
}

}  // namespace reconciler
