#include "objects/inventory.h"

#include "catch.h"

using namespace reconciler;

namespace {

InventoryEntry config_map(const std::string& name) { return {.key = {"", "ConfigMap", "shop", name}, .version = "v1"}; }

/// Stores everything that differs, as the keeper does; returns the chunks that were written.
std::set<int> store(Inventory& inventory, std::map<int, std::map<std::string, std::string>>& stored) {
  const std::set<int> chunks = inventory.unsaved_chunks();
  for (int chunk : chunks) {
    const ChunkChange change = inventory.take_change(chunk);
    for (const auto& [id, text] : change.entries) {
      if (text) stored[chunk][id] = *text;
      if (!text) stored[chunk].erase(id);
    }
    inventory.saved(change);
  }
  return chunks;
}

}  // namespace

TEST_CASE("an entry is read as it was written", "[inventory]") {
  InventoryEntry entry{.key = {"apps", "Deployment", "shop", "till"},
                       .version = "v1",
                       .uid = "0a1b2c3d-0000-4000-8000-000000000001",
                       .mark = PruneMark::Allow,
                       .services = {"till", "till-canary"}};
  auto read = read_entry(entry_text(entry));
  REQUIRE(read);
  CHECK(*read == entry);
  CHECK(api_version_of(*read) == "apps/v1");
  CHECK(api_version_of(config_map("a")) == "v1");
}

TEST_CASE("an entry without a name or version is refused", "[inventory]") {
  CHECK_FALSE(read_entry("{}"));
  CHECK_FALSE(read_entry("{\"kind\":\"ConfigMap\",\"name\":\"a\"}"));
  CHECK_FALSE(read_entry("nonsense"));
}

TEST_CASE("different objects have different ids", "[inventory]") {
  const std::vector<ObjectKey> keys = {{"", "Service", "shop", "till"},
                                       {"", "Service", "", "till"},
                                       {"", "Service", "shop", "till2"},
                                       {"x.io", "Service", "shop", "till"},
                                       {"", "ConfigMap", "shop", "till"}};
  std::set<std::string> ids;
  for (const ObjectKey& key : keys) ids.insert(entry_id(key));
  CHECK(ids.size() == keys.size());
}

TEST_CASE("the mark may be a label or an annotation, and disabled wins", "[inventory]") {
  auto marked = [](const char* place, const char* value) {
    return Json{{"metadata", {{place, {{"serin.dev/prune", value}}}}}};
  };
  CHECK(prune_mark(Json::object()) == PruneMark::None);
  CHECK(prune_mark(marked("labels", "disabled")) == PruneMark::Disabled);
  CHECK(prune_mark(marked("annotations", "allow")) == PruneMark::Allow);
  CHECK(prune_mark(marked("annotations", "perhaps")) == PruneMark::None);
  Json both = marked("labels", "allow");
  both["metadata"]["annotations"]["serin.dev/prune"] = "disabled";
  CHECK(prune_mark(both) == PruneMark::Disabled);
}

TEST_CASE("an object may be written only once it is stored", "[inventory]") {
  Inventory inventory;
  inventory.name(config_map("a"));
  CHECK(inventory.has_additions());
  CHECK_FALSE(inventory.is_stored(config_map("a").key));
  const ChunkChange change = inventory.take_change(0);
  CHECK_FALSE(inventory.is_stored(config_map("a").key));
  inventory.saved(change);
  CHECK(inventory.is_stored(config_map("a").key));
  CHECK_FALSE(inventory.has_additions());
  CHECK(inventory.is_clean());
}

TEST_CASE("what could not be stored is stored later, as it is by then", "[inventory]") {
  Inventory inventory;
  inventory.name(config_map("a"));
  const ChunkChange lost = inventory.take_change(0);
  inventory.set_uid(config_map("a").key, "uid-1");
  inventory.not_saved(lost);
  const ChunkChange again = inventory.take_change(0);
  REQUIRE(again.entries.size() == 1);
  CHECK(read_entry(*again.entries.begin()->second)->uid == "uid-1");
}

TEST_CASE("naming an object again changes nothing", "[inventory]") {
  Inventory inventory;
  std::map<int, std::map<std::string, std::string>> stored;
  inventory.name(config_map("a"));
  inventory.set_uid(config_map("a").key, "uid-1");
  store(inventory, stored);
  inventory.name(config_map("a"));
  inventory.set_uid(config_map("a").key, "uid-1");
  CHECK(inventory.is_clean());
  CHECK(inventory.find(config_map("a").key)->uid == "uid-1");
}

TEST_CASE("one changed object among many costs one chunk", "[inventory]") {
  Inventory inventory;
  std::map<int, std::map<std::string, std::string>> stored;
  for (int i = 0; i < 5000; ++i) inventory.name(config_map("settings-" + std::to_string(i)));
  CHECK(store(inventory, stored).size() > 4);
  for (const auto& [chunk, entries] : stored) {
    size_t bytes = 0;
    for (const auto& [id, text] : entries) bytes += id.size() + text.size() + 60;  // and a UID to come
    CHECK(bytes <= 512u << 10);
  }
  inventory.erase(config_map("settings-77").key);
  inventory.name(config_map("another"));
  CHECK(inventory.unsaved_chunks().size() <= 2);
  inventory.set_uid(config_map("settings-4000").key, "uid-1");
  store(inventory, stored);

  // A restart finds each entry where it was.
  Inventory later;
  for (const auto& [chunk, entries] : stored) CHECK(later.load(chunk, entries).empty());
  CHECK(later.size() == 5000);
  CHECK(later.is_clean());
  CHECK_FALSE(later.contains(config_map("settings-77").key));
  for (const ObjectKey& key : later.keys()) CHECK(later.chunk_of(key) == inventory.chunk_of(key));
}

TEST_CASE("an object that came back before its end was stored is kept", "[inventory]") {
  Inventory inventory;
  std::map<int, std::map<std::string, std::string>> stored;
  inventory.name(config_map("a"));
  store(inventory, stored);
  inventory.erase(config_map("a").key);
  inventory.name(config_map("a"));
  store(inventory, stored);
  CHECK(stored[0].size() == 1);
  CHECK(inventory.is_stored(config_map("a").key));
}

TEST_CASE("entries that cannot be read are named and left alone", "[inventory]") {
  Inventory inventory;
  const std::string good = entry_text(config_map("a"));
  const auto troubles = inventory.load(3, {{entry_id(config_map("a").key), good}, {"wrong", good}, {"broken", "{"}});
  CHECK(troubles.size() == 2);
  CHECK(inventory.size() == 1);
  CHECK(inventory.is_clean());
  CHECK(inventory.chunk_of(config_map("a").key) == 3);
}

TEST_CASE("a kind that moved to another group is the same object", "[inventory]") {
  Inventory inventory;
  const InventoryEntry old{.key = {"extensions", "Ingress", "shop", "web"}, .version = "v1beta1", .uid = "uid-1"};
  InventoryEntry next{.key = {"networking.k8s.io", "Ingress", "shop", "web"}, .version = "v1"};
  inventory.name(old);
  inventory.set_uid(old.key, "uid-1");
  inventory.name(next);
  CHECK_FALSE(inventory.alias_of(old));
  inventory.set_uid(next.key, "uid-1");
  CHECK(inventory.alias_of(old) == next.key);
}
