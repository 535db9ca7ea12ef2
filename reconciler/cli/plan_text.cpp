// The three forms of a plan.
#include "base/format.h"
#include "cli/revision_plan.h"

namespace reconciler {
namespace {

constexpr size_t kValueCharacters = 120;

std::string value_text(const std::optional<Json>& value) {
  if (!value) return "(absent)";
  std::string text = dump(*value);
  if (text.size() <= kValueCharacters) return text;
  size_t end = kValueCharacters;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "...";
}

std::string_view mark_of(Fate fate) {
  switch (fate) {
    case Fate::Created: return "+";
    case Fate::Changed: return "~";
    case Fate::Deleted: return "-";
  }
  unreachable();
}

std::string_view word_of(Fate fate) {
  switch (fate) {
    case Fate::Created: return "created";
    case Fate::Changed: return "changed";
    case Fate::Deleted: return "deleted";
  }
  unreachable();
}

std::string counts(const std::vector<ObjectChange>& objects) {
  std::string out;
  for (Fate fate : {Fate::Created, Fate::Changed, Fate::Deleted}) {
    size_t count = 0;
    for (const ObjectChange& change : objects) count += change.fate == fate;
    if (count > 0) out += format("{}{} {}", out.empty() ? "" : ", ", count, word_of(fate));
  }
  return out.empty() ? "none" : out;
}

size_t persons_needed(const Forecast& forecast) {
  size_t count = 0;
  for (const ForecastStep& step : forecast.steps) count += step.waits_for_person;
  return count;
}

std::string duration_line(const Forecast& forecast) {
  if (!forecast.held.empty()) return "held: " + forecast.held;
  if (forecast.steps.empty()) return "no transition";
  std::string text =
      format("{} and the time that pods take to become ready", format_duration(forecast.steps.back().after));
  if (size_t count = persons_needed(forecast); count > 0)
    text += format(", and {} for a person's decision", count == 1 ? "one wait" : format("{} waits", count));
  return text;
}

std::string step_line(const ForecastStep& step) {
  std::string after = "+" + format_duration(step.after);
  after.resize(std::max<size_t>(after.size(), 8), ' ');
  return format("{} {}{}", after, step.subject, step.waits_for_person ? ", then waits for a person" : "");
}

/// Names and values come from manifests: nothing of them may act as markup.
std::string code(std::string text) {
  for (char& c : text)
    if (c == '`' || c == '\n') c = ' ';
  return "`" + text + "`";
}

/// Grows line by line up to what a comment may have; what is too much is counted and left out.
class Comment {
 public:
  bool add(const std::string& line) {
    const bool fits = text_.size() + line.size() <= kCommentCharacters - kReserve;
    if (fits) text_ += line;
    if (!fits) ++left_out_;
    return fits;
  }
  /// Folded up under its summary, which no markup may stand in.
  void fold(const std::string& summary, const std::vector<std::string>& lines) {
    if (!add(format("<details><summary>{}</summary>\n\n", summary))) return;
    for (const std::string& line : lines) add(line);
    text_ += "\n</details>\n\n";
  }
  std::string take() {
    if (left_out_ > 0)
      text_ += format("\n{} lines are left out here; `serin plan` on the command line shows all.\n", left_out_);
    return std::move(text_);
  }

 private:
  static constexpr size_t kCommentCharacters = 65'536;  // bytes are no fewer than characters
  static constexpr size_t kReserve = 256;               // for the ends of what is folded up, and the last line
  std::string text_;
  size_t left_out_ = 0;
};

void add_rollout(const RolloutPlan& rollout, Comment& comment) {
  const auto& steps = rollout.forecast.steps;
  comment.add(format("**{}**: {}, asked for {}. In all: {}.\n\n", code(rollout.key.text()), code(rollout.now),
                     code(rollout.target), duration_line(rollout.forecast)));
  if (steps.empty()) return;
  std::vector<std::string> lines = {"| after | transition | canary |\n|---|---|---|\n"};
  for (const ForecastStep& step : steps)
    lines.push_back(format("| {} | {}{} | {} |\n", format_duration(step.after), code(step.subject),
                           step.waits_for_person ? " then waits for a person" : "",
                           share_text(step.weight, step.whole)));
  comment.fold(format("{} transitions", steps.size()), lines);
}

void add_objects(const std::vector<ObjectChange>& objects, Comment& comment) {
  std::vector<std::string> lines;
  for (const ObjectChange& change : objects) {
    lines.push_back(format("- {} {} ({})\n", word_of(change.fate), code(change.key.text()), code(change.file)));
    if (!change.held.empty()) lines.push_back(format("  - :warning: held: {}\n", code(change.held)));
    if (!change.note.empty()) lines.push_back(format("  - {}\n", change.note));
    for (const FieldChange& field : change.fields)
      lines.push_back(
          format("  - {}: {} → {}\n", code(field.path), code(value_text(field.before)), code(value_text(field.after))));
  }
  comment.fold(format("Objects: {}", counts(objects)), lines);
}

}  // namespace

std::string plan_text(const RevisionPlan& plan, const RevisionNames& names) {
  std::string out = format("from {} to {}\n", names.before, names.after);
  if (!names.cluster.empty()) out += format("against the live objects of {}\n", names.cluster);
  if (plan.is_empty()) return out + "nothing changes\n";
  out += format("\nobjects: {}\n", counts(plan.objects));
  for (const ObjectChange& change : plan.objects) {
    out += format("  {} {}  ({})\n", mark_of(change.fate), change.key.text(), change.file);
    if (!change.held.empty()) out += format("      held: {}\n", change.held);
    if (!change.note.empty()) out += format("      {}\n", change.note);
    for (const FieldChange& field : change.fields)
      out += format("      {}: {} -> {}\n", field.path, value_text(field.before), value_text(field.after));
  }
  for (const RolloutPlan& rollout : plan.rollouts) {
    out += format("\nrollout {}: {}, asked for {}\n", rollout.key.text(), rollout.now, rollout.target);
    for (const ForecastStep& step : rollout.forecast.steps) out += format("  {}\n", step_line(step));
    out += format("  in all: {}\n", duration_line(rollout.forecast));
  }
  if (!plan.warnings.empty()) out += "\nwarnings:\n";
  for (const std::string& warning : plan.warnings) out += format("  {}\n", warning);
  if (!plan.problems.empty()) out += "\nproblems:\n";
  for (const std::string& problem : plan.problems) out += format("  {}\n", problem);
  return out;
}

std::string plan_markdown(const RevisionPlan& plan, const RevisionNames& names) {
  Comment comment;
  comment.add(format("### Serin: from {} to {}\n\n", code(names.before), code(names.after)));
  if (!names.cluster.empty()) comment.add(format("Against the live objects of {}.\n\n", code(names.cluster)));
  if (plan.is_empty()) comment.add("Nothing changes.\n");
  for (const std::string& problem : plan.problems) comment.add(format("- :x: {}\n", code(problem)));
  for (const std::string& warning : plan.warnings) comment.add(format("- :warning: {}\n", code(warning)));
  if (!plan.problems.empty() || !plan.warnings.empty()) comment.add("\n");
  for (const RolloutPlan& rollout : plan.rollouts) add_rollout(rollout, comment);
  if (!plan.is_empty()) add_objects(plan.objects, comment);
  return comment.take();
}

Json plan_json(const RevisionPlan& plan, const RevisionNames& names) {
  Json out = {{"before", names.before},    {"after", names.after},      {"objects", Json::array()},
              {"rollouts", Json::array()}, {"warnings", plan.warnings}, {"problems", plan.problems}};
  if (!names.cluster.empty()) out["cluster"] = names.cluster;
  for (const ObjectChange& change : plan.objects) {
    Json object = {{"change", word_of(change.fate)}, {"group", change.key.group}, {"kind", change.key.kind},
                   {"namespace", change.key.ns},     {"name", change.key.name},   {"file", change.file}};
    if (!change.held.empty()) object["held"] = change.held;
    if (!change.note.empty()) object["note"] = change.note;
    for (const FieldChange& field : change.fields) {
      Json entry = {{"path", field.path}};
      if (field.before) entry["before"] = *field.before;
      if (field.after) entry["after"] = *field.after;
      object["fields"].push_back(std::move(entry));
    }
    out["objects"].push_back(std::move(object));
  }
  for (const RolloutPlan& rollout : plan.rollouts) {
    Json entry = {
        {"rollout", rollout.key.text()}, {"now", rollout.now}, {"target", rollout.target}, {"steps", Json::array()}};
    if (!rollout.forecast.held.empty()) entry["held"] = rollout.forecast.held;
    for (const ForecastStep& step : rollout.forecast.steps) {
      entry["steps"].push_back({{"afterSeconds", std::chrono::duration<double>(step.after).count()},
                                {"subject", step.subject},
                                {"weight", step.weight},
                                {"waitsForPerson", step.waits_for_person}});
      if (step.whole != kWholeWeight) entry["steps"].back()["weightOf"] = step.whole;
    }
    out["rollouts"].push_back(std::move(entry));
  }
  return out;
}

}  // namespace reconciler
