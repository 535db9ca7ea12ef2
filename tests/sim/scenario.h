// A scenario: what is given, what people do and when, and the transcript of what the program made of it. The language
// is in tests/scenarios/README.md.
#pragma once

#include <string>
#include <vector>

namespace reconciler::testing {

/// The text with its expectations as they really are; throws std::runtime_error at a line it does not understand.
std::string played(const std::string& text);

}  // namespace reconciler::testing
