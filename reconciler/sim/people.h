// People who push to the repository while the program runs: they deploy, revert, decide, edit and make mistakes. What
// they want at each commit is remembered, so that others can judge what the program made of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/object_key.h"
#include "sim/apps.h"
#include "sim/random.h"
#include "sim/sim_clock.h"
#include "sim/sim_policy.h"

namespace reconciler {

/// The rollouts as a commit asks for them: of each the last version that could be read and was valid.
using Wanted = std::map<RolloutKey, std::shared_ptr<const Rollout>>;

/// What the files of a commit name, whether it is valid or not; of a file that cannot be read what it named last.
struct Named {
  std::set<ObjectKey> objects;   ///< Rollouts too
  std::set<ObjectKey> released;  ///< they are gone, and people said since that they may go
  bool unreadable = false;       ///< one of the files cannot be read
};

class People {
 public:
  /// `rules`: chance of its own for the policy and those who keep to it or do not; `kinds`: for who tries Experiments.
  People(SimRemote& remote, SimClock& clock, Random random, Random rules, Random kinds,
         std::function<void(const std::string&)> say);

  /// The first commit of the repository.
  void begin(int rollouts);
  /// Somebody does something, as likely as this seed makes it.
  void act();
  /// A push of something else: races with ours.
  void push_something_else();
  /// Everything that is wrong is put right, and `touch_all` gives each manifest a new edition.
  void clean_up(bool touch_all);

  const std::vector<App>& apps() const { return apps_; }
  /// What is in force when this commit is the newest; status commits ask for what their parents did.
  const Wanted& wanted_at(const std::string& commit) const;
  const Named& named_at(const std::string& commit) const;
  /// The policy that this commit has; one that cannot be read keeps the windows of the last one that can.
  const SimPolicy& policy_at(const std::string& commit) const;
  /// Did somebody write to this rollout's status file, or steer this run by hand?
  bool touched_status() const { return touched_status_; }

 private:
  using Deed = void (People::*)(App&);
  void push(const std::vector<FileChange>& changes, const std::string& message);
  void note_named(const std::vector<FileChange>& changes, const std::string& message);
  void push_app(const App& app, const std::string& message);
  void new_image(App& app);
  void broken_image(App& app);
  void revert(App& app);
  void go_back(App& app);
  void scale(App& app);
  void toggle_pause(App& app);
  void change_steps(App& app);
  void change_limits(App& app);
  void restart(App& app);
  void decide(App& app);
  void withdraw_decision(App& app);
  void write_bad_file(App& app);
  void write_refused_rollout(App& app);
  void move_files(App& app);
  void touch_status(App& app);
  void edit_nothing(App& app);
  void remove(App& app);
  void remove_rollout(App& app);
  void remove_everything(App& app);
  void allow(App& app);
  void change_policy(App& app);
  std::string author();
  std::string trailers();
  Json draw_preview();
  Json draw_standalone();
  Json draw_experiment(const App& app, int weight);
  Json draw_steps(const App& app);
  void draw_kind(App& app);
  void draw_router(App& app);
  static int weight_of(const App& app, int percent);
  Json draw_route_step(const App& app);
  void note_tag(const App& app);

  SimRemote& remote_;
  SimClock& clock_;
  Random random_;
  Random rules_;
  Random kinds_;
  const bool has_policy_;
  std::function<void(const std::string&)> say_;
  std::vector<App> apps_;
  SimPolicy policy_;
  mutable std::map<std::string, std::shared_ptr<const SimPolicy>> policies_;
  std::map<RolloutKey, std::vector<std::string>> tags_;  ///< asked for so far, newest last
  std::vector<Deed> deeds_;                              ///< what this seed's people do, the frequent ones repeated
  mutable std::map<std::string, std::shared_ptr<const Wanted>> wanted_;
  Wanted latest_;
  int versions_ = 1;
  bool touched_status_ = false;
  std::map<std::string, std::set<ObjectKey>> files_;  ///< what each names
  std::set<std::string> unreadable_;                  ///< paths
  std::map<ObjectKey, bool> gone_;                    ///< named once; is it released?
  mutable std::map<std::string, std::shared_ptr<const Named>> named_;
  std::set<RolloutKey> removed_;
  std::map<RolloutKey, bool> bad_;  ///< rollouts whose file is wrong just now
};

}  // namespace reconciler
