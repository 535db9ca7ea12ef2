#include "objects/prune.h"

#include "catch.h"

using namespace reconciler;

namespace {

InventoryEntry entry(const std::string& kind, const std::string& name) {
  return {.key = {"", kind, "shop", name}, .version = "v1", .uid = "uid-" + name};
}

std::vector<Stale> config_maps(int count) {
  std::vector<Stale> out;
  for (int i = 0; i < count; ++i) out.push_back({.entry = entry("ConfigMap", "c" + std::to_string(i))});
  return out;
}

Json live(const InventoryEntry& entry, const std::string& owner) {
  return {{"metadata", {{"name", entry.key.name}, {"uid", entry.uid}, {"labels", {{"serin.dev/owner", owner}}}}}};
}

}  // namespace

TEST_CASE("few objects go without a word, many are held", "[prune]") {
  struct Case {
    int stale;
    size_t set;
    bool goes;
  };
  for (const Case& c : {Case{1, 2, true},
                        {5, 6, true},
                        {6, 7, false},
                        {6, 20, true},
                        {7, 20, false},
                        {30, 100, true},
                        {31, 100, false},
                        {1, 1, false},
                        {5, 5, false}}) {
    CAPTURE(c.stale, c.set);
    const PrunePlan plan = plan_prune(config_maps(c.stale), c.set);
    CHECK(plan.go.size() == (c.goes ? size_t(c.stale) : 0));
    CHECK(plan.held.size() == (c.goes ? 0 : size_t(c.stale)));
  }
}

TEST_CASE("a hold says how to release it", "[prune]") {
  const PrunePlan plan = plan_prune(config_maps(6), 7);
  CHECK(plan.held.begin()->second ==
        "6 of 7 objects would go at once, more than 5; to release it, put the trailer `Serin-Prune: allow` on a "
        "commit, even an empty one");
}

TEST_CASE("what people released goes, and the rest stays held", "[prune]") {
  std::vector<Stale> stale = config_maps(10);
  stale[3].released = true;
  const PrunePlan plan = plan_prune(stale, 10);
  REQUIRE(plan.go.size() == 1);
  CHECK(plan.go[0].key.name == "c3");
  CHECK(plan.held.size() == 9);
}

TEST_CASE("what must not be pruned neither goes nor counts", "[prune]") {
  std::vector<Stale> stale = config_maps(6);
  stale[0].entry.mark = PruneMark::Disabled;
  const PrunePlan plan = plan_prune(stale, 7);
  CHECK(plan.go.size() == 5);
  REQUIRE(plan.unmanaged.size() == 1);
  CHECK(plan.unmanaged[0].key.name == "c0");
}

TEST_CASE("what was applied last goes first", "[prune]") {
  const PrunePlan plan = plan_prune({{.entry = entry("ConfigMap", "a")},
                                     {.entry = entry("Service", "b")},
                                     {.entry = {.key = {"apps", "Deployment", "shop", "d"}, .version = "v1"}}},
                                    20);
  REQUIRE(plan.go.size() == 3);
  CHECK(plan.go[0].key.kind == "Deployment");
  CHECK(plan.go[1].key.kind == "Service");
  CHECK(plan.go[2].key.kind == "ConfigMap");
}

TEST_CASE("what something in Git needs is held until it is allowed", "[prune]") {
  Stale stale{.entry = entry("Rollout", "till"), .needed_for = "Service shop/till stays in Git"};
  CHECK(plan_prune({stale}, 20).held.at(stale.entry.key) == "Service shop/till stays in Git");
  stale.entry.mark = PruneMark::Allow;
  CHECK(plan_prune({stale}, 20).go.size() == 1);
  stale.entry.mark = PruneMark::None;
  stale.released = true;
  CHECK(plan_prune({stale}, 20).go.size() == 1);
}

TEST_CASE("only the very object that is still ours is deleted", "[prune]") {
  const InventoryEntry till = entry("Service", "till");
  const Json ours = live(till, "serin");
  CHECK(judge_live({till, false}, std::nullopt, "serin").fate == LiveFate::Gone);
  CHECK(judge_live({till, false}, ours, "serin").fate == LiveFate::Delete);

  const LiveVerdict theirs = judge_live({till, true}, live(till, "other"), "serin");
  CHECK(theirs.fate == LiveFate::Leave);
  CHECK(theirs.why == "it belongs to the owner other, and this one is serin");

  Json unlabelled = ours;
  unlabelled["metadata"].erase("labels");
  CHECK(judge_live({till, true}, unlabelled, "serin").fate == LiveFate::Leave);

  Json again = ours;
  again["metadata"]["uid"] = "another";
  CHECK(judge_live({till, true}, again, "serin").fate == LiveFate::Leave);
  Json ours_again = again;  // a crash came before the new uid was stored
  ours_again["metadata"]["managedFields"] = {{{"manager", "serin"}, {"operation", "Apply"}}};
  CHECK(judge_live({till, true}, ours_again, "serin").fate == LiveFate::Delete);
  InventoryEntry unseen = till;
  unseen.uid.clear();  // a crash came between; the label tells
  CHECK(judge_live({unseen, false}, again, "serin").fate == LiveFate::Delete);

  Json kept = ours;
  kept["metadata"]["annotations"]["serin.dev/prune"] = "disabled";
  CHECK(judge_live({till, true}, kept, "serin").fate == LiveFate::Leave);

  Json going = ours;
  going["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z";
  CHECK(judge_live({till, false}, going, "serin").fate == LiveFate::Gone);
}

TEST_CASE("dangerous kinds go only when people say so", "[prune]") {
  for (const ObjectKey& key :
       {ObjectKey{"", "Namespace", "", "shop"},
        ObjectKey{"apiextensions.k8s.io", "CustomResourceDefinition", "", "tills.shop.io"},
        ObjectKey{"", "PersistentVolumeClaim", "shop", "data"}, ObjectKey{"", "PersistentVolume", "", "disk"}}) {
    CAPTURE(key.text());
    InventoryEntry entry{.key = key, .version = "v1", .uid = "uid-1"};
    Json object = live(entry, "serin");
    CHECK(judge_live({entry, false}, object, "serin").fate == LiveFate::Hold);
    CHECK(judge_live({entry, true}, object, "serin").fate == LiveFate::Delete);
    object["metadata"]["labels"]["serin.dev/prune"] = "allow";
    CHECK(judge_live({entry, false}, object, "serin").fate == LiveFate::Delete);
  }
  CHECK_FALSE(is_dangerous({"example.com", "Namespace", "shop", "x"}));
}

TEST_CASE("the trailer stands in the last paragraph", "[prune]") {
  CHECK(allows_prune("Remove the till\n\nSerin-Prune: allow\n"));
  CHECK(allows_prune("Remove the till\n\nIt is old.\n\nSigned-off-by: A <a@b.c>\nserin-prune:  Allow\n\n"));
  CHECK_FALSE(allows_prune("Serin-Prune: allow\n"));
  CHECK_FALSE(allows_prune("Remove\n\nSerin-Prune: allow\n\nThe above is how to release it.\n"));
  CHECK_FALSE(allows_prune("Remove\n\nSerin-Prune: deny\n"));
  CHECK_FALSE(allows_prune(""));
  CHECK_FALSE(allows_prune("\n\n\n"));
}
