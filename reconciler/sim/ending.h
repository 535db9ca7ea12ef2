// How a run must end: at rest, and as Git asks for it.
#pragma once

#include <string>
#include <vector>

#include "sim/people.h"
#include "sim/stage.h"
#include "sim/watchman.h"

namespace reconciler {

/// Why the program is not at rest, as it says itself.
std::vector<std::string> unrest(Stage& stage);

/// What is not as Git, the recorded status and common sense ask for once everything is at rest.
std::vector<std::string> wrong_at_the_end(Stage& stage, const People& people, const Watchman& watchman);

}  // namespace reconciler
