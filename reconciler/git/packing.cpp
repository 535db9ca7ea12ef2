#include "git/packing.h"

#include <git2.h>

#include <filesystem>
#include <vector>

#include "base/format.h"
#include "git/durable.h"
#include "git/library.h"

namespace reconciler {
namespace {

namespace fs = std::filesystem;

struct LooseObject {
  std::string id;
  fs::path file;
};

Result<std::vector<LooseObject>> loose_objects(const fs::path& clone) {
  std::vector<LooseObject> found;
  std::error_code error;
  for (fs::directory_iterator folder(clone / "objects", error), end; !error && folder != end; folder.increment(error)) {
    auto start = folder->path().filename().string();
    if (start.size() != 2) continue;
    std::error_code inner;  // a directory that is removed meanwhile is no error
    for (fs::directory_iterator file(folder->path(), inner); !inner && file != end; file.increment(inner)) {
      auto id = start + file->path().filename().string();
      if (is_full_id(id)) found.push_back({id, file->path()});
    }
  }
  if (error) return transient(format("cannot read {}: {}", (clone / "objects").string(), error.message()));
  return found;
}

}  // namespace

Result<size_t> pack_loose_objects(git_repository& repository, const std::string& clone, size_t loose_min) {
  auto loose = loose_objects(clone);
  if (!loose) return loose.error();
  if (loose->size() < loose_min) return size_t{0};
  Owned<git_packbuilder> pack;
  if (git_packbuilder_new(fill(pack), &repository) < 0) return library_error("cannot prepare a pack");
  git_packbuilder_set_threads(pack.get(), 1);
  for (const auto& object : *loose) {
    auto id = id_from(object.id);
    if (git_packbuilder_insert(pack.get(), &id, nullptr) < 0) return library_error(format("object {}", object.id));
  }
  auto folder = clone + "/objects/pack";
  if (git_packbuilder_write(pack.get(), folder.c_str(), 0, nullptr, nullptr) < 0)
    return transient(format("cannot write to {}: {}", folder, last_git_error("unknown error")));
  if (auto synced = sync_to_disk(folder); !synced) return synced.error();
  for (const auto& object : *loose) {
    std::error_code error;
    fs::remove(object.file, error);
    if (error) return transient(format("cannot remove {}: {}", object.file.string(), error.message()));
  }
  return loose->size();
}

}  // namespace reconciler
