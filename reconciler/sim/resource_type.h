// The kinds the embedded API server knows: the built-in ones, and those that a CustomResourceDefinition adds.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "sim/shape.h"

namespace reconciler {

/// Where a kind keeps what its scale subresource shows, as steps from the object on.
struct ScalePaths {
  std::vector<std::string> replicas = {"spec", "replicas"};
  std::vector<std::string> status_replicas = {"status", "replicas"};
  std::vector<std::string> selector = {};  ///< of a text; empty: spec.selector.matchLabels
};

/// One of additionalPrinterColumns: what `kubectl get` shows of a custom kind.
struct PrinterColumn {
  std::string name;
  std::string type;
  std::vector<std::string> path;
  int priority = 0;
};

struct ResourceType {
  std::string group;
  std::vector<std::string> versions;  ///< the preferred one first; objects are stored in it
  std::string plural;
  std::string singular;
  std::string kind;
  bool namespaced = true;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool has_status = false;  ///< /status is a subresource: the main resource leaves it alone
  bool has_scale = false;   ///< /scale
  ScalePaths scale = {};
  std::vector<PrinterColumn> columns = {};  ///< of a custom kind; empty: name and age
  bool has_generation = false;              ///< metadata.generation follows the spec
  bool custom = false;
  const Shape* shape = nullptr;
  std::vector<std::string> members;  ///< known top-level members; empty: any
  int order = 0;                     ///< of registration: gives every walk over types one order

  /// `deployments.apps`, `pods`.
  std::string qualified() const { return group.empty() ? plural : plural + "." + group; }
  /// `apps/v1`, `v1`.
  std::string api_version(std::string_view version) const;
  std::string stored_api_version() const { return api_version(versions.front()); }
  bool serves(std::string_view version) const;
};

/// Names one object of a world.
struct ObjectRef {
  const ResourceType* type = nullptr;
  std::string ns;
  std::string name;
  bool operator==(const ObjectRef&) const = default;
  bool operator<(const ObjectRef& other) const;
};

class Catalogue {
 public:
  /// The built-in kinds, and Istio's VirtualService and DestinationRule.
  Catalogue();

  const ResourceType* by_plural(std::string_view group, std::string_view version, std::string_view plural) const;
  const ResourceType* by_kind(std::string_view api_version, std::string_view kind) const;
  std::vector<const ResourceType*> all() const;

  /// Adds or changes the kind of a CustomResourceDefinition. The pointer stays valid for the life of the catalogue.
  const ResourceType* add_custom(const Json& definition);
  /// The kind is no longer served.
  void withdraw(const ResourceType& type);
  bool is_withdrawn(const ResourceType& type) const;

 private:
  ResourceType& add(ResourceType type);

  std::map<std::pair<std::string, std::string>, std::unique_ptr<ResourceType>> by_plural_;  // (group, plural)
  std::map<const ResourceType*, bool> withdrawn_;
  int registered_ = 0;
};

}  // namespace reconciler
