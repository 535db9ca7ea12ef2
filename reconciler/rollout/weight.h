// Shares of traffic, in the unit of the manifest that asks for them: of 100, or of its maxTrafficWeight.
#pragma once

#include <cstdint>
#include <string>

namespace reconciler {

/// What a weight is a part of, unless the manifest says otherwise.
inline constexpr int kWholeWeight = 100;

/// `20%`; `20 of 1000` where the whole is another than 100.
std::string share_text(int weight, int whole);

/// The same as a trailer has it: `20`, or `20/1000`.
std::string weight_text(int weight, int whole);

/// In percent: 2 for 20 of 1000.
double percent_of(int weight, int whole);

/// `weight` of `whole` as a part of `other`, rounded down: 20 of 1000 is 2 of 100.
int rescaled(int64_t weight, int64_t whole, int other);

/// The same, rounded up.
int rescaled_up(int64_t weight, int64_t whole, int other);

/// The pods that have such a share of `replicas`, rounded up.
int share_of(int replicas, int weight, int whole);

}  // namespace reconciler
