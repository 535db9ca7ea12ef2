#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/deployments.h"

namespace reconciler {

struct Audit {
  std::vector<Deployment> deployments;
  DeliveryFigures figures;
};

/// A table of the deployments, and the four figures below it.
std::string audit_text(const Audit& audit);

/// RFC 4180, a header line first; durations in seconds. A cell that a spreadsheet would take for a formula is text.
std::string audit_csv(const Audit& audit);

Json audit_json(const Audit& audit);

}  // namespace reconciler
