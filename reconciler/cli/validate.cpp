// serin validate: manifests, status and decision files against schema and rules, without a cluster.
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/file_check.h"
#include "cli/options.h"

namespace reconciler {
namespace {

Syntax validate_syntax() {
  return {
      .usage = "serin validate PATH... [OPTIONS]",
      .summary =
          "Checks manifests, status files, decisions and their policy. Prints `file:line:column: message` for each "
          "finding\n"
          "and exits with 1 when any is an error.",
      .options = {{.name = "namespace", .operand = "NAME", .help = "of objects that name none", .otherwise = "default"},
                  {.name = "output",
                   .operand = "FORMAT",
                   .help = "text or json",
                   .type = ChoiceOption{{"text", "json"}},
                   .otherwise = "text"}},
      .operands_least = 1,
      .operands_most = SIZE_MAX};
}

std::string count_of(size_t count, std::string_view noun) {
  return format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string warning_text(Problem warning) {
  warning.message = "warning: " + warning.message;
  return warning.text();
}

void print_text(const CheckReport& report) {
  for (const Problem& problem : report.problems) std::cout << problem.text() << "\n";
  for (const Problem& warning : report.warnings) std::cout << warning_text(warning) << "\n";
  std::cout << count_of(report.files, "file") << ", " << count_of(report.objects, "object") << ": "
            << (report.problems.empty() ? "valid" : count_of(report.problems.size(), "error"));
  if (!report.warnings.empty()) std::cout << ", " << count_of(report.warnings.size(), "warning");
  std::cout << "\n";
}

Json finding_json(const Problem& problem, std::string_view severity) {
  Json out = {{"file", problem.file}, {"message", problem.message}, {"severity", severity}};
  if (problem.line) out["line"] = problem.line;
  if (problem.column) out["column"] = problem.column;
  return out;
}

void print_json(const CheckReport& report) {
  Json out = {{"files", report.files},
              {"objects", report.objects},
              {"valid", report.problems.empty()},
              {"findings", Json::array()}};
  for (const Problem& problem : report.problems) out["findings"].push_back(finding_json(problem, "error"));
  for (const Problem& warning : report.warnings) out["findings"].push_back(finding_json(warning, "warning"));
  std::cout << out.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace

int validate(const std::vector<std::string>& arguments) {
  return with_options(validate_syntax(), arguments, [](const Options& options) {
    CheckReport report = check_paths(options.operands(), options.text("namespace"));
    if (options.text("output") == "json")
      print_json(report);
    else
      print_text(report);
    return report.problems.empty() ? 0 : 1;
  });
}

}  // namespace reconciler
