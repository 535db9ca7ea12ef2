#pragma once

#include "daemon/workers.h"
#include "ports.h"
#include "web/measurements.h"

namespace reconciler {

/// Workers whose queue and jobs are counted.
class MeasuredWorkers : public Workers {
 public:
  MeasuredWorkers(Workers& inner, Clock& clock, Measurements& measurements)
      : inner_(inner), clock_(clock), measurements_(measurements) {}

  void run(Lane lane, Job job) override {
    measurements_.add(Measure::QueueDepth, {});
    inner_.run(lane, [this, job = std::move(job), queued = clock_.monotonic()]() -> Completion {
      measurements_.add(Measure::QueueDepth, {}, -1);
      measurements_.time(Measure::QueueWaitSeconds, {}, clock_.monotonic() - queued);
      measurements_.add(Measure::InFlight, {});
      Completion completion = job();
      measurements_.add(Measure::InFlight, {}, -1);
      return completion;
    });
  }

 private:
  Workers& inner_;
  Clock& clock_;
  Measurements& measurements_;
};

}  // namespace reconciler
