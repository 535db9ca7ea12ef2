#include "cli/recorded.h"

#include <map>

namespace reconciler {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

/// The `Key: value` lines of the last paragraph.
std::map<std::string, std::string> trailers_of(const std::vector<std::string>& lines) {
  std::map<std::string, std::string> trailers;
  for (auto line = lines.rbegin(); line != lines.rend() && !line->empty(); ++line)
    if (size_t colon = line->find(": "); colon != line->npos)
      trailers[line->substr(0, colon)] = line->substr(colon + 2);
  return trailers;
}

}  // namespace

std::string subject_of(const std::string& message) { return message.substr(0, message.find('\n')); }

std::optional<Recorded> read_recorded(const CommitInfo& commit) {
  if (commit.message.find("\nRollout-Phase: ") == std::string::npos) return std::nullopt;  // most commits, in one look
  std::vector<std::string> lines = lines_of(commit.message);
  std::map<std::string, std::string> trailers = trailers_of(lines);
  const std::string& name = trailers["Rollout"];
  size_t slash = name.find('/');
  if (slash == name.npos || trailers["Rollout-Phase"].empty()) return std::nullopt;
  std::string prefix = name + ": ";
  const std::string& headline = lines.front();
  return Recorded{.commit = commit,
                  .rollout = {.ns = name.substr(0, slash), .name = name.substr(slash + 1)},
                  .cluster = trailers["Rollout-Cluster"],
                  .subject = headline.starts_with(prefix) ? headline.substr(prefix.size()) : headline,
                  .why = lines.size() > 2 ? lines[2] : "",
                  .phase = trailers["Rollout-Phase"],
                  .step = trailers["Rollout-Step"],
                  .weight = trailers["Rollout-Weight"],
                  .revision = trailers["Rollout-Revision"],
                  .image = trailers["Rollout-Image"],
                  .requested = trailers["Rollout-Commit"],
                  .status = std::nullopt};
}

}  // namespace reconciler
