// One request to the Kubernetes API, understood: which object or list, and how to show it.
#pragma once

#include <optional>
#include <string>

#include "http/server.h"
#include "sim/table.h"
#include "sim/world.h"

namespace reconciler {

/// How the client wants objects: as they are, as rows, or only their metadata.
enum class Shown { Whole, Table, Metadata };

struct Presentation {
  Shown shown = Shown::Whole;
  RowObject row_object = RowObject::Metadata;
  std::string table_version = "meta.k8s.io/v1";
};

/// The resource a path names; nothing when no served kind fits.
std::optional<ResourcePath> parse_resource_path(const Catalogue& catalogue, const std::string& path);

Presentation presentation_of(const ServerRequest& request);
WriteOptions write_options_of(const ServerRequest& request);
/// From the query and, when there is one, the DeleteOptions in the body.
Answer<RemoveOptions> remove_options_of(const ServerRequest& request);

struct Selectors {
  LabelSelector labels;
  FieldSelector fields;
  bool match(const Json& object) const { return matches_object(labels, object) && matches_fields(fields, object); }
};
Answer<Selectors> selectors_of(const ServerRequest& request, const ResourceType& type);

ServerResponse json_response(int status, const Json& document);
ServerResponse error_response(const ApiError& error);
/// One object in the version and form asked for.
ServerResponse object_response(int status, const ResourcePath& path, const Object& object, const Presentation& how,
                               TimePoint now);

struct ListPage {
  std::vector<Object> objects;
  uint64_t version = 0;
  std::string next;  ///< the continue token; empty at the end
  size_t remaining = 0;
};
ServerResponse list_response(const ResourcePath& path, const ListPage& page, const Presentation& how, TimePoint now);

/// The object as it is shown in a list or watch.
Json shown_object(const ResourcePath& path, const Object& object, const Presentation& how, TimePoint now);

}  // namespace reconciler
