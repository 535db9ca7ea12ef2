#include "sim/table.h"

#include <functional>

#include "base/format.h"

namespace reconciler {
namespace {

using Cell = std::function<Json(const Json& object, TimePoint now)>;

struct Column {
  std::string name;
  std::string type;
  Cell cell;
  int priority = 0;  ///< above zero: only with `-o wide`
};

Json text(const Json& object, std::initializer_list<std::string_view> path) { return text_at(object, path, "<none>"); }

int64_t number(const Json& object, std::initializer_list<std::string_view> path) {
  return integer_at(object, path).value_or(0);
}

/// The texts of a list with commas between.
std::string joined(const Json* list, const std::function<std::string(const Json&)>& text_of) {
  std::string out;
  if (list && list->is_array())
    for (const Json& each : *list) out += (out.empty() ? "" : ",") + text_of(each);
  return out.empty() ? "<none>" : out;
}

std::string joined_map(const Json* map) {
  std::string out;
  if (map && map->is_object())
    for (const auto& [name, value] : map->items())
      out += (out.empty() ? "" : ",") + name + "=" + (value.is_string() ? value.get<std::string>() : dump(value));
  return out.empty() ? "<none>" : out;
}

std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : dump(value); }

Column named() {
  return {"Name", "string", [](const Json& object, TimePoint) { return text(object, {"metadata", "name"}); }};
}

Column aged() {
  return {"Age", "string", [](const Json& object, TimePoint now) -> Json {
            auto created = parse_time(text_at(object, {"metadata", "creationTimestamp"}));
            return created ? age_text(now - *created) : "<unknown>";
          }};
}

Column text_column(std::string name, std::vector<std::string> path, int priority = 0) {
  return {std::move(name), "string",
          [path = std::move(path)](const Json& object, TimePoint) -> Json {
            const Json* at = &object;
            for (const std::string& step : path) {
              at = find(*at, {step});
              if (!at) return "<none>";
            }
            return plain(*at);
          },
          priority};
}

Column number_column(std::string name, std::string_view part, std::string_view member) {
  return {std::move(name), "integer", [part, member](const Json& object, TimePoint) -> Json {
            return number(object, {part, member});
          }};
}

Column listed(std::string name, std::string_view part, std::string_view member) {
  return {std::move(name), "array", [part, member](const Json& object, TimePoint) -> Json {
            const Json* list = find(object, {part, member});
            return list && list->is_array() && !list->empty() ? Json(dump(*list)) : Json();
          }};
}

Column template_images(std::string name, std::string_view member) {
  return {std::move(name), "string",
          [member](const Json& object, TimePoint) -> Json {
            return joined(find(object, {"spec", "template", "spec", "containers"}),
                          [&](const Json& container) { return text_at(container, {member}); });
          },
          1};
}

Column selector_column() {
  return {"Selector", "string",
          [](const Json& object, TimePoint) -> Json {
            const Json* labels = find(object, {"spec", "selector", "matchLabels"});
            return joined_map(labels);
          },
          1};
}

Column counted(std::string name, std::string_view member) {
  return {std::move(name), "integer", [member](const Json& object, TimePoint) -> Json {
            const Json* data = find(object, {member});
            return data && data->is_object() ? data->size() : 0;
          }};
}

Json pod_ready(const Json& pod, TimePoint) {
  const Json* containers = find(pod, {"spec", "containers"});
  const Json* statuses = find(pod, {"status", "containerStatuses"});
  size_t ready = 0;
  if (statuses && statuses->is_array())
    for (const Json& each : *statuses) ready += flag_at(each, {"ready"});
  return format("{}/{}", ready, containers && containers->is_array() ? containers->size() : 0);
}

Json pod_status(const Json& pod, TimePoint) {
  if (find(pod, {"metadata", "deletionTimestamp"})) return "Terminating";
  const Json* statuses = find(pod, {"status", "containerStatuses"});
  if (statuses && statuses->is_array())
    for (const Json& each : *statuses)
      if (std::string why = text_at(each, {"state", "waiting", "reason"}); !why.empty()) return why;
  return text_at(pod, {"status", "phase"}, "Unknown");
}

std::vector<Column> pod_columns() {
  return {named(),
          {"Ready", "string", pod_ready},
          {"Status", "string", pod_status},
          {"Restarts", "string", [](const Json&, TimePoint) -> Json { return "0"; }},
          aged(),
          text_column("IP", {"status", "podIP"}, 1),
          text_column("Node", {"spec", "nodeName"}, 1)};
}

std::vector<Column> deployment_columns() {
  return {named(),
          {"Ready", "string",
           [](const Json& object, TimePoint) -> Json {
             return format("{}/{}", number(object, {"status", "readyReplicas"}), number(object, {"spec", "replicas"}));
           }},
          number_column("Up-to-date", "status", "updatedReplicas"),
          number_column("Available", "status", "availableReplicas"),
          aged(),
          template_images("Containers", "name"),
          template_images("Images", "image"),
          selector_column()};
}

std::vector<Column> replica_set_columns() {
  return {named(),
          number_column("Desired", "spec", "replicas"),
          number_column("Current", "status", "replicas"),
          number_column("Ready", "status", "readyReplicas"),
          aged(),
          template_images("Containers", "name"),
          template_images("Images", "image"),
          selector_column()};
}

std::vector<Column> service_columns() {
  return {named(),
          text_column("Type", {"spec", "type"}),
          text_column("Cluster-IP", {"spec", "clusterIP"}),
          {"External-IP", "string",
           [](const Json& object, TimePoint) -> Json {
             return text_at(object, {"spec", "externalName"}, "<none>");
           }},
          {"Port(s)", "string",
           [](const Json& object, TimePoint) -> Json {
             return joined(find(object, {"spec", "ports"}), [](const Json& port) {
               return format("{}/{}", number(port, {"port"}), text_at(port, {"protocol"}, "TCP"));
             });
           }},
          aged(),
          {"Selector", "string",
           [](const Json& object, TimePoint) -> Json {
             return joined_map(find(object, {"spec", "selector"}));
           },
           1}};
}

std::vector<Column> event_columns() {
  return {{"Last Seen", "string",
           [](const Json& object, TimePoint now) -> Json {
             auto seen = parse_time(text_at(object, {"lastTimestamp"}));
             return seen ? age_text(now - *seen) : "<unknown>";
           }},
          text_column("Type", {"type"}),
          text_column("Reason", {"reason"}),
          {"Object", "string",
           [](const Json& object, TimePoint) -> Json {
             std::string kind = text_at(object, {"involvedObject", "kind"});
             for (char& c : kind) c = char(std::tolower(c));
             return kind + "/" + text_at(object, {"involvedObject", "name"});
           }},
          text_column("Message", {"message"})};
}

/// A column that a CustomResourceDefinition asks for; absent values are blank, as the real server leaves them.
Column printed(const PrinterColumn& column) {
  return {column.name, column.type,
          [column](const Json& object, TimePoint now) -> Json {
            const Json* at = column.path.empty() ? nullptr : &object;
            for (const std::string& step : column.path) at = at ? find(*at, {step}) : nullptr;
            if (!at) return nullptr;
            if (column.type != "date") return column.type == "string" ? Json(plain(*at)) : *at;
            auto time = at->is_string() ? parse_time(at->get<std::string>()) : std::nullopt;
            return time ? Json(age_text(now - *time)) : Json("<unknown>");
          },
          column.priority};
}

std::vector<Column> columns_of(const ResourceType& type) {
  const std::string& kind = type.kind;
  if (!type.columns.empty()) {
    std::vector<Column> columns = {named()};
    for (const PrinterColumn& column : type.columns) columns.push_back(printed(column));
    return columns;
  }
  if (type.group.empty()) {
    if (kind == "Pod") return pod_columns();
    if (kind == "Service") return service_columns();
    if (kind == "Event") return event_columns();
    if (kind == "Namespace") return {named(), text_column("Status", {"status", "phase"}), aged()};
    if (kind == "ConfigMap") return {named(), counted("Data", "data"), aged()};
    if (kind == "Secret") return {named(), text_column("Type", {"type"}), counted("Data", "data"), aged()};
  }
  if (type.group == "apps") {
    if (kind == "Deployment") return deployment_columns();
    if (kind == "ReplicaSet") return replica_set_columns();
  }
  if (kind == "Lease") return {named(), text_column("Holder", {"spec", "holderIdentity"}), aged()};
  if (kind == "CustomResourceDefinition")
    return {named(), text_column("Created At", {"metadata", "creationTimestamp"})};
  if (type.group == "networking.istio.io") {
    if (kind == "VirtualService")
      return {named(), listed("Gateways", "spec", "gateways"), listed("Hosts", "spec", "hosts"), aged()};
    if (kind == "DestinationRule") return {named(), text_column("Host", {"spec", "host"}), aged()};
  }
  return {named(), aged()};
}

Json metadata_only(const Json& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", object.value("metadata", Json::object())}};
}

}  // namespace

Json table_of(const ResourceType& type, const std::vector<Object>& objects, RowObject row_object,
              const std::string& api_version, TimePoint now) {
  std::vector<Column> columns = columns_of(type);
  Json definitions = Json::array(), rows = Json::array();
  for (const Column& column : columns)
    definitions.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", column.name == "Name" ? "name" : ""},
                           {"description", column.name},
                           {"priority", column.priority}});
  for (const Object& object : objects) {
    Json cells = Json::array();
    for (const Column& column : columns) cells.push_back(column.cell(*object, now));
    Json row = {{"cells", cells}};
    switch (row_object) {
      case RowObject::None: row["object"] = nullptr; break;
      case RowObject::Metadata: row["object"] = metadata_only(*object); break;
      case RowObject::Whole: row["object"] = *object; break;
    }
    rows.push_back(std::move(row));
  }
  return {{"kind", "Table"},
          {"apiVersion", api_version},
          {"metadata", Json::object()},
          {"columnDefinitions", definitions},
          {"rows", rows}};
}

std::string age_text(Duration age) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  auto with = [](int64_t large, char a, int64_t small, char b) {
    return small ? format("{}{}{}{}", large, a, small, b) : format("{}{}", large, a);
  };
  if (seconds < 120) return format("{}s", seconds);
  if (seconds < 600) return with(seconds / 60, 'm', seconds % 60, 's');
  if (seconds < 3 * 3600) return format("{}m", seconds / 60);
  if (seconds < 8 * 3600) return with(seconds / 3600, 'h', seconds / 60 % 60, 'm');
  if (seconds < 48 * 3600) return format("{}h", seconds / 3600);
  int64_t days = seconds / 86400;
  if (seconds < 8 * 86400) return with(days, 'd', seconds / 3600 % 24, 'h');
  if (days < 2 * 365) return format("{}d", days);
  if (days < 8 * 365) return with(days / 365, 'y', days % 365, 'd');
  return format("{}y", days / 365);
}

}  // namespace reconciler
