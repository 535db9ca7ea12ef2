#include "cli/record_check.h"

#include "base/format.h"
#include "manifest/status_file.h"
#include "rollout/succession.h"

namespace reconciler {
namespace {

std::string step_text(const Status& status) {
  return status.step ? format("{}/{}", status.step->index, status.step->count) : "";
}

/// In what the message contradicts the file; empty in nothing.
std::string contradiction(const Recorded& record, const Status& status) {
  const auto& revision = status.canary ? status.canary : status.stable;
  const std::string hash = status.run ? status.run->hash : revision ? revision->hash : "";
  const std::pair<const char*, std::pair<std::string, std::string>> pairs[] = {
      {"phase", {record.phase, std::string(to_text(status.phase))}},
      {"step", {record.step, step_text(status)}},
      {"weight", {record.weight, weight_text(status.weight, status.whole)}},
      {"revision", {record.revision, hash}},
      {"commit", {record.requested, status.commit}}};
  for (const auto& [name, texts] : pairs)
    if (texts.first != texts.second)
      return format("the message says {} '{}', the file says '{}'", name, texts.first, texts.second);
  return "";
}

}  // namespace

void RecordCheck::find(const StatusCommit& commit, const std::string& about, std::string what) {
  findings_.push_back({commit.info.id, about, std::move(what)});
}

void RecordCheck::look_at(const StatusCommit& commit) {
  const std::optional<Recorded> record = read_recorded(commit.info);
  if (commit.files.empty()) {
    if (record) find(commit, record->rollout.text(), "forged: a status commit that changes no status file");
    return;
  }
  ++commits_;
  if (record && commit.info.author == author_) {
    look_at_record(commit, *record);
    return;
  }
  for (const StatusFileChange& file : commit.files) {
    find(commit, file.path,
         record ? format("forged: a status commit by {}", commit.info.author)
                : format("edited by {}: {}", commit.info.author, subject_of(commit.info.message)));
    // What follows is judged against what people made of it.
    Known& known = known_[file.path];
    known.status.reset();
    if (file.content)
      if (Result<Status> status = read_status(file.path, *file.content)) known.status = std::move(*status);
  }
}

void RecordCheck::look_at_record(const StatusCommit& commit, const Recorded& record) {
  const std::string about = record.rollout.text();
  if (!commit.other_paths.empty())
    find(commit, about, format("a status commit that changes {} as well", commit.other_paths.front()));
  const std::string path = record_path(directory_, record.cluster, record.rollout);
  for (const StatusFileChange& file : commit.files) {
    if (file.path == path) {
      look_at_file(commit, record, file);
    } else {
      find(commit, about, format("a status commit about {} that changes {}", about, file.path));
    }
  }
}

void RecordCheck::look_at_file(const StatusCommit& commit, const Recorded& record, const StatusFileChange& file) {
  const std::string about = record.rollout.text();
  Known& known = known_[file.path];
  if (commit.info.time < known.time) find(commit, about, "decided before the transition that it follows");
  known.time = std::max(known.time, commit.info.time);
  if (!file.content) {
    if (record.subject != "removed") find(commit, about, "the status file is gone, the message does not say why");
    known.status.reset();
    return;
  }
  Result<Status> status = read_status(file.path, *file.content);
  if (!status) {
    find(commit, about, status.error().message);
    return;
  }
  if (write_status(record.rollout, *status) != *file.content) find(commit, about, "the file is not as Serin writes it");
  if (std::string what = contradiction(record, *status); !what.empty()) find(commit, about, what);
  if (std::string what = broken_succession(known.status, *status); !what.empty()) find(commit, about, "gap: " + what);
  known.status = std::move(*status);
}

}  // namespace reconciler
