#include "cluster/kubernetes_inventory.h"

#include "base/format.h"
#include "base/labels.h"
#include "cluster/inventory_config_map.h"
#include "cluster/writes.h"

namespace reconciler {
namespace {

constexpr int kPageSize = 50;
constexpr int kPagesMax = 1000;

}  // namespace

Result<std::vector<InventoryChunk>> KubernetesInventory::load() {
  std::vector<InventoryChunk> out;
  const std::string first = format("/api/v1/namespaces/{}/configmaps?limit={}&labelSelector={}", percent_encoded(ns_),
                                   kPageSize, percent_encoded(inventory_selector(owner_)));
  std::string token;
  for (int page = 0; page < kPagesMax; ++page) {
    ApiCall call;
    call.path = first + (token.empty() ? "" : "&continue=" + percent_encoded(token));
    call.about = "list the inventory in namespace " + ns_;
    auto answer = api_.call(call);
    if (!answer) return answer.error();
    const Json* items = find(*answer, {"items"});
    if (!items || !items->is_array()) return transient(call.about + ": the answer has no items");
    for (const Json& item : *items)
      if (auto chunk = read_inventory(item)) out.push_back(std::move(*chunk));
    token = text_at(*answer, {"metadata", "continue"});
    if (token.empty()) return out;
  }
  return invalid("the inventory is too large");
}

/// False when there is nothing to patch.
Result<bool> KubernetesInventory::patch(const ChunkChange& change, const std::string& commit) {
  ApiCall call;
  call.method = "PATCH";
  call.path = format("/api/v1/namespaces/{}/configmaps/{}?fieldManager=serin", percent_encoded(ns_),
                     percent_encoded(inventory_name(owner_, change.chunk)));
  call.content_type = "application/merge-patch+json";
  call.about = "store ConfigMap " + ns_ + "/" + inventory_name(owner_, change.chunk);
  call.body = inventory_patch(change, commit);
  auto answer = api_.find_object(call);
  if (!answer) return answer.error();
  return answer->has_value();
}

Result<void> KubernetesInventory::create(const ChunkChange& change, const std::string& commit) {
  ApiCall call;
  call.method = "POST";
  call.path = format("/api/v1/namespaces/{}/configmaps?fieldManager=serin", percent_encoded(ns_));
  call.about = "create ConfigMap " + ns_ + "/" + inventory_name(owner_, change.chunk);
  call.body = inventory_config_map(owner_, ns_, change, commit);
  auto answer = api_.call(call);
  if (!answer) return answer.error();
  return {};
}

Result<void> KubernetesInventory::save(const ChunkChange& change, const std::string& commit) {
  auto patched = patch(change, commit);
  if (!patched) return patched.error();
  if (*patched) return {};
  return create(change, commit);
}

}  // namespace reconciler
