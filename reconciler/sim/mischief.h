// What happens to the cluster behind the program's back: pods die, people scale, edit and delete what is not theirs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/apps.h"
#include "sim/random.h"
#include "sim/world.h"

namespace reconciler {

class Mischief {
 public:
  Mischief(World& world, Random random, std::function<void(const RolloutKey&, const std::string&)> say);
  /// Does something to the objects of this rollout; says so before it does.
  void act(const App& app);

 private:
  using Deed = void (Mischief::*)(const App&);
  void lose_pod(const App& app);
  void lose_all_pods(const App& app);
  void scale_set(const App& app);
  void delete_set(const App& app);
  void move_weights(const App& app);
  void move_service(const App& app);
  void edit_port(const App& app);
  void take_label(const App& app);
  std::vector<Object> sets_of(const App& app) const;
  void remove_pods(const Json& set, int count);

  World& world_;
  Random random_;
  std::function<void(const RolloutKey&, const std::string&)> say_;
  std::vector<Deed> deeds_;
};

}  // namespace reconciler
