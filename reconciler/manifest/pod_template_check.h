#pragma once

#include "manifest/field.h"

namespace reconciler {

/// Reports what Kubernetes would refuse in a pod template (types, names, ports, restart policy), and in `selector`,
/// which must select the template's labels. Unknown members are warned of.
void check_pod_template(const Field& pod_template, const Field& selector);

}  // namespace reconciler
