// Objects as the rows that `kubectl get` prints.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "sim/store.h"

namespace reconciler {

/// Which part of an object each row carries.
enum class RowObject { None, Metadata, Whole };

/// A meta.k8s.io Table. `api_version`: `meta.k8s.io/v1` or `v1beta1`.
Json table_of(const ResourceType& type, const std::vector<Object>& objects, RowObject row_object,
              const std::string& api_version, TimePoint now);

/// `45s`, `3m10s`, `5h`, `12d`: the age as kubectl writes it.
std::string age_text(Duration age);

}  // namespace reconciler
