// Labels and annotations as Kubernetes takes them.
#pragma once

#include "manifest/field.h"

namespace reconciler {

/// Reports keys and values of `labels` that Kubernetes would refuse as labels. Null is the empty text, as it is there.
void check_labels(const Field& labels);

/// The same of annotations, whose values may be any text.
void check_annotations(const Field& annotations);

/// Reports what is wrong with a label selector; true when nothing is, and there is one.
bool check_selector(const Field& selector);

/// Does a selector in which nothing is wrong select pods with these labels?
bool selects(const Json& selector, const Json& labels);

}  // namespace reconciler
