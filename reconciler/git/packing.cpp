#include "git/packing.h"

#include <git2.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/format.h"
#include "git/durable.h"
#include "git/library.h"

namespace reconciler {
namespace {

namespace fs = std::filesystem;

constexpr size_t pack_bytes_small = 8 << 20;

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

/// The packs below `pack_bytes_small`, without their extension. Large ones are what was cloned, or merged before.
Result<std::vector<std::string>> small_packs(const fs::path& clone) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator file(clone / "objects" / "pack", error), end; !error && file != end;
       file.increment(error)) {
    std::error_code gone;
    if (file->path().extension() != ".pack" || file->file_size(gone) > pack_bytes_small || gone) continue;
    if (fs::exists(fs::path(file->path()).replace_extension(".idx"), gone))
      found.push_back(fs::path(file->path()).replace_extension().string());
  }
  if (error) return transient(format("cannot read the packs of {}: {}", clone.string(), error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

/// The ids in a pack, from its index (version 2): a table of 256 running counts, then the ids, sorted.
Result<std::vector<git_oid>> objects_in(const std::string& pack) {
  std::ifstream file(pack + ".idx", std::ios::binary);
  std::array<unsigned char, 8 + 256 * 4> head{};
  file.read(reinterpret_cast<char*>(head.data()), head.size());
  constexpr unsigned char magic[] = {0xff, 't', 'O', 'c', 0, 0, 0, 2};
  if (!file || !std::equal(std::begin(magic), std::end(magic), head.begin()))
    return invalid(format("{}.idx: is no index of version 2", pack));
  const unsigned char* last = head.data() + head.size() - 4;
  const size_t count = size_t{last[0]} << 24 | size_t{last[1]} << 16 | size_t{last[2]} << 8 | last[3];
  // No object is smaller than a byte.
  if (count > pack_bytes_small) return invalid(format("{}.idx: holds too many objects", pack));
  std::vector<git_oid> ids(count);
  for (git_oid& id : ids) file.read(reinterpret_cast<char*>(id.id), GIT_OID_RAWSZ);
  if (!file) return invalid(format("{}.idx: is cut off", pack));
  return ids;
}

/// Writes what was inserted as one pack, durably; its path without extension.
Result<std::string> write_pack(git_packbuilder& pack, const std::string& clone) {
  auto folder = clone + "/objects/pack";
  if (git_packbuilder_write(&pack, folder.c_str(), 0, nullptr, nullptr) < 0)
    return transient(format("cannot write to {}: {}", folder, last_git_error("unknown error")));
  if (auto synced = sync_to_disk(folder); !synced) return synced.error();
  return folder + "/pack-" + git_packbuilder_name(&pack);
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
  if (auto written = write_pack(*pack, clone); !written) return written.error();
  for (const auto& object : *loose) {
    std::error_code error;
    fs::remove(object.file, error);
    if (error) return transient(format("cannot remove {}: {}", object.file.string(), error.message()));
  }
  return loose->size();
}

Result<std::vector<std::string>> merge_small_packs(git_repository& repository, const std::string& clone,
                                                   size_t packs_min) {
  auto packs = small_packs(clone);
  if (!packs || packs->size() < packs_min) return packs ? Result(std::vector<std::string>()) : packs;
  Owned<git_packbuilder> merged;
  if (git_packbuilder_new(fill(merged), &repository) < 0) return library_error("cannot prepare a pack");
  git_packbuilder_set_threads(merged.get(), 1);
  for (const auto& pack : *packs) {
    auto ids = objects_in(pack);
    if (!ids) return ids.error();
    for (const auto& id : *ids)
      if (git_packbuilder_insert(merged.get(), &id, nullptr) < 0)
        return library_error(format("object {}", id_text(id)));
  }
  auto written = write_pack(*merged, clone);
  if (!written) return written.error();
  std::erase(*packs, *written);  // the same objects make a pack of the same name
  return packs;
}

Result<void> remove_packs(const std::vector<std::string>& packs) {
  for (const auto& pack : packs) {
    // The index goes first: without it the rest is not looked at.
    for (const char* extension : {".idx", ".pack", ".rev"}) {
      std::error_code error;
      fs::remove(pack + extension, error);
      if (error) return transient(format("cannot remove {}{}: {}", pack, extension, error.message()));
    }
  }
  return {};
}

}  // namespace reconciler
