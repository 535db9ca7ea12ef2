#include "sim/faults.h"

namespace reconciler {
namespace {

CallFaults draw_call(Random& random, double likely, double scale) {
  CallFaults out;
  if (random.chance(likely)) out.fails = scale * random.below(100) / 100.0;
  if (random.chance(likely)) out.reply_lost = scale * random.below(100) / 100.0;
  if (random.chance(likely)) out.dies_before = 0.3 * scale * random.below(100) / 100.0;
  if (random.chance(likely)) out.dies_after = 0.3 * scale * random.below(100) / 100.0;
  return out;
}

}  // namespace

FaultMix FaultMix::draw(Random& random) {
  FaultMix mix;
  if (random.chance(0.1)) return mix;
  const double likely = random.chance(0.2) ? 1.0 : 0.35;
  const double scale = random.chance(0.3) ? 0.4 : 0.15;
  mix.poll = draw_call(random, likely, scale);
  mix.push = draw_call(random, likely, scale);
  mix.record = draw_call(random, likely, scale / 2);
  // A record either happened or it did not: the disk is not a network.
  mix.record.reply_lost = 0;
  mix.act = draw_call(random, likely, scale);
  mix.apply = draw_call(random, likely, scale);
  if (random.chance(likely)) mix.observe_fails = scale * random.below(50) / 100.0;
  if (random.chance(likely * 0.5)) mix.refused = scale * random.below(30) / 100.0;
  return mix;
}

}  // namespace reconciler
