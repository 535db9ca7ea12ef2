#pragma once

#include "manifest/document.h"

namespace reconciler {

/// The one document of a JSON file; `text` is UTF-8.
Documents read_json_document(const std::string& path, std::string_view text, const DocumentLimits& limits);

}  // namespace reconciler
