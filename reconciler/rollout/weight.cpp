#include "rollout/weight.h"

#include "base/format.h"

namespace reconciler {

std::string share_text(int weight, int whole) {
  return weight == 0 || whole == kWholeWeight ? format("{}%", weight) : format("{} of {}", weight, whole);
}

std::string weight_text(int weight, int whole) {
  return weight == 0 || whole == kWholeWeight ? format("{}", weight) : format("{}/{}", weight, whole);
}

double percent_of(int weight, int whole) { return weight * 100.0 / whole; }

int rescaled(int64_t weight, int64_t whole, int other) { return int(weight * other / whole); }

int rescaled_up(int64_t weight, int64_t whole, int other) { return int((weight * other + whole - 1) / whole); }

int share_of(int replicas, int weight, int whole) { return rescaled_up(weight, whole, replicas); }

}  // namespace reconciler
