#include "sim/people.h"

#include <algorithm>

#include "base/check.h"
#include "base/format.h"
#include "daemon/desired_state.h"
#include "manifest/manifest.h"
#include "manifest/status_file.h"
#include "objects/prune.h"

namespace reconciler {
namespace {

constexpr std::string_view kAllow = "\n\nSerin-Prune: allow\n";
constexpr const char* kMallory = "Mallory <mallory@evil.example>";
constexpr const char* kAuthors[] = {"Ada <ada@example.com>", "Grace <grace@example.com>"};

std::string duration_text(Random& random) {
  static const std::vector<std::string> all = {"1s", "10s", "30s", "60s", "2m", "5m"};
  return random.pick(all);
}

}  // namespace

People::People(SimRemote& remote, SimClock& clock, Random random, Random rules, Random kinds,
               std::function<void(const std::string&)> say)
    : remote_(remote),
      clock_(clock),
      random_(random),
      rules_(rules),
      kinds_(kinds),
      has_policy_(rules_.chance(0.35)),
      say_(std::move(say)) {
  const std::vector<std::pair<Deed, int>> all = {
      {&People::new_image, 6},         {&People::broken_image, 3},   {&People::revert, 5},
      {&People::go_back, 2},           {&People::scale, 2},          {&People::toggle_pause, 2},
      {&People::change_steps, 2},      {&People::change_limits, 1},  {&People::decide, 6},
      {&People::withdraw_decision, 1}, {&People::write_bad_file, 1}, {&People::write_refused_rollout, 1},
      {&People::restart, 1},           {&People::move_files, 1},     {&People::touch_status, 1},
      {&People::edit_nothing, 1},      {&People::remove, 2},         {&People::remove_rollout, 1},
      {&People::remove_everything, 1}, {&People::allow, 1}};
  const double likely = random_.chance(0.3) ? 1.0 : 0.5;
  for (const auto& [deed, often] : all) {
    const bool always = deed == &People::new_image;
    if (!always && !random_.chance(likely)) continue;
    for (int i = 0; i < often; ++i) deeds_.push_back(deed);
  }
  if (has_policy_)
    deeds_.insert(deeds_.end(), {&People::change_policy, &People::change_policy, &People::decide, &People::decide});
}

/// Which of the many things that a canary can be this one is, for ever.
void People::draw_kind(App& app) {
  app.routed = random_.chance(0.65);
  app.has_services = app.routed || random_.chance(0.5);
  static const std::vector<Json> counts = {"25%", "100%", "0%", "34%", 0, 1, 2};
  if (random_.chance(0.5)) app.max_surge = random_.pick(counts);
  if (random_.chance(0.5)) app.max_unavailable = random_.pick(counts);
  auto is_zero = [](const Json& count) { return count == 0 || count == "0%"; };
  if (is_zero(app.max_surge) && is_zero(app.max_unavailable)) app.max_surge = 1;
  if (app.routed && random_.chance(0.4)) draw_router(app);
  app.ping_pong = app.routed && can_take_turns(app.router) && random_.chance(0.2);
  app.dynamic_stable = app.routed && random_.chance(0.25);
  if (app.routed && takes_max_weight(app.router) && random_.chance(0.4)) {
    // Stable's pods may be any part of a whole that shrinks with them; of the others weights are whole percents.
    static const std::vector<int> wholes = {10, 50, 1000};
    app.max_weight = app.dynamic_stable ? 50 : random_.pick(wholes);
  }
  if (random_.chance(0.15)) app.min_pods = random_.between(1, 3);
  if (random_.chance(0.1)) app.progress_threshold = {{"type", "Percent"}, {"value", random_.between(0, 100)}};
  if (random_.chance(0.1)) app.progress_threshold = {{"type", "Pods"}, {"value", random_.between(0, 3)}};
  if (random_.chance(0.2)) {
    app.blue_green = draw_preview();
    app.has_preview = random_.chance(0.8);
    app.has_services = true;
    app.routed = app.dynamic_stable = app.ping_pong = false;
  }
  if (kinds_.chance(0.12)) {
    app.experiment = draw_standalone();
    app.routed = false;
    app.has_services = kinds_.chance(0.5);
  }
  if (random_.chance(0.2)) app.delay_revision_limit = random_.between(0, 2);
  if (random_.chance(0.1)) app.anti_affinity = {{"requiredDuringSchedulingIgnoredDuringExecution", Json::object()}};
  if (random_.chance(0.15)) app.canary_metadata = {{"labels", {{"role", "canary"}}}, {"annotations", {{"a", "b"}}}};
  if (random_.chance(0.15)) app.stable_metadata = {{"labels", {{"role", "stable"}}}};
}

/// An Experiment by itself, for a time or until somebody ends it.
Json People::draw_standalone() {
  Json out = Json::object();
  if (kinds_.chance(0.75)) out["duration"] = duration_text(kinds_);
  return out;
}

int People::weight_of(const App& app, int percent) {
  return app.max_weight == 0 ? percent : percent * app.max_weight / 100;
}

/// All but SMI, whose TrafficSplit nobody sees before the program makes it.
void People::draw_router(App& app) {
  static const std::vector<AppRouter> all = {AppRouter::TwoServices, AppRouter::TlsAndTcp, AppRouter::DestinationRule,
                                             AppRouter::GatewayApi,  AppRouter::Nginx,     AppRouter::Alb,
                                             AppRouter::Traefik,     AppRouter::Apisix,    AppRouter::Ambassador};
  app.router = random_.pick(all);
  if (app.router == AppRouter::DestinationRule) app.has_services = random_.chance(0.5);
}

/// A header or a mirror route comes, or goes.
Json People::draw_route_step(const App& app) {
  const bool goes = random_.chance(0.3);
  if (!has_mirror_steps(app.router) || random_.chance(0.5)) {
    Json route = {{"name", header_route_name(app)}};
    if (!goes) route["match"] = Json::array({{{"headerName", "x-tester"}, {"headerValue", {{"exact", "yes"}}}}});
    return {{"setHeaderRoute", std::move(route)}};
  }
  Json route = {{"name", "shadow"}, {"percentage", random_.between(1, 100)}};
  if (!goes) route["match"] = Json::array({{{"method", {{"exact", "GET"}}}}});
  return {{"setMirrorRoute", std::move(route)}};
}

/// A preview, and how it is accepted.
Json People::draw_preview() {
  Json out = Json::object();
  if (random_.chance(0.4)) out["previewReplicaCount"] = random_.between(0, 3);
  if (random_.chance(0.35)) out["autoPromotionEnabled"] = false;
  if (random_.chance(0.35)) out["autoPromotionSeconds"] = random_.between(0, 90);
  return out;
}

/// Beside a canary with that weight.
Json People::draw_experiment(const App& app, int weight) {
  const bool shares = app.routed && takes_experiments(app.router);
  Json templates = Json::array();
  const int count = random_.between(1, 2);
  for (int i = 0; i < count; ++i) {
    Json each = {{"name", i == 0 ? "baseline" : "trial"}, {"specRef", random_.chance(0.5) ? "stable" : "canary"}};
    if (random_.chance(0.5)) each["replicas"] = random_.between(shares ? 1 : 0, 3);
    if (random_.chance(0.3)) each["metadata"] = {{"labels", {{"trial", "yes"}}}};
    const int room = (100 - weight) / count;
    if (shares && room > 0 && random_.chance(0.6)) each["weight"] = weight_of(app, random_.between(0, room));
    if (random_.chance(0.3)) each["service"] = Json::object();
    if (i == 0 && random_.chance(0.1)) each["service"] = {{"name", app.key.name + "-baseline"}};
    templates.push_back(std::move(each));
  }
  Json out = {{"templates", std::move(templates)}};
  if (random_.chance(0.8)) out["duration"] = duration_text(random_);
  if (random_.chance(0.3)) out["scaleDownDelaySeconds"] = random_.between(0, 60);
  return {{"experiment", std::move(out)}};
}

Json People::draw_steps(const App& app) {
  Json steps = Json::array();
  if (random_.chance(0.12)) return steps;
  int weight = 0;
  const int count = random_.between(1, 6);
  for (int i = 0; i < count; ++i) {
    if (random_.chance(0.55)) {
      weight = random_.chance(0.85) ? std::min(100, weight + random_.between(1, 40)) : random_.between(0, 100);
      steps.push_back({{"setWeight", weight_of(app, weight)}});
    } else if (app.routed && random_.chance(0.25)) {
      const Json scale[] = {{{"replicas", random_.between(0, 5)}},
                            {{"weight", weight_of(app, random_.between(0, 100))}},
                            {{"matchTrafficWeight", true}}};
      steps.push_back({{"setCanaryScale", scale[random_.below(3)]}});
    } else if (app.routed && has_route_steps(app.router) && random_.chance(0.25)) {
      steps.push_back(draw_route_step(app));
    } else if (random_.chance(0.2)) {
      steps.push_back(draw_experiment(app, weight));
    } else if (random_.chance(0.2)) {
      steps.push_back({{"pause", Json::object()}});
    } else {
      steps.push_back({{"pause", {{"duration", duration_text(random_)}}}});
    }
  }
  return steps;
}

void People::begin(int rollouts) {
  static const std::vector<std::string> names = {"till", "cart", "mail", "auth", "feed", "pages"};
  std::vector<FileChange> changes;
  for (int i = 0; i < rollouts; ++i) {
    App app{.key = {"default", names[size_t(i)]}};
    app.replicas = random_.chance(0.1) ? 0 : random_.between(1, 4);
    draw_kind(app);
    app.steps = draw_steps(app);
    app.in_one_file = random_.chance(0.15);
    change_limits(app);
    if (random_.chance(0.05)) app.tag = "v1-broken";
    apps_.push_back(app);
    note_tag(app);
  }
  for (App& app : apps_)
    for (FileChange& change : files_of(app)) changes.push_back(std::move(change));
  push(changes, "Start");
  if (has_policy_) change_policy(apps_.front());
}

void People::act() {
  Deed deed = random_.pick(deeds_);
  (this->*deed)(apps_[size_t(random_.below(int(apps_.size())))]);
}

/// Reads what was pushed as the program will, to know what is wanted from now on.
void People::push(const std::vector<FileChange>& changes, const std::string& message) {
  std::string by = kAuthors[random_.below(2)];
  if (has_policy_) by = author();
  const std::string id = remote_.commit(kBranch, changes, clock_.now(), message, by);
  // Whoever is none of us has no key that counts, whatever name they use.
  if (has_policy_ && by != kMallory && rules_.chance(0.6))
    remote_.signers[id] = by.substr(by.find('<') + 1, by.find('>') - by.find('<') - 1);
  policies_[id] = std::make_shared<const SimPolicy>(policy_);
  for (const FileChange& change : changes) {
    if (!change.content || !is_manifest_path(change.path) || change.path.starts_with("status/") ||
        change.path.starts_with("decisions/"))
      continue;
    ManifestFile file = read_manifests(change.path, *change.content, "default");
    if (!file.problems.empty()) continue;
    for (const Rollout& rollout : file.rollouts) latest_[rollout.key] = std::make_shared<const Rollout>(rollout);
  }
  note_named(changes, message);
  named_[id] = named_[""];
  std::erase_if(latest_,
                [&](const auto& rollout) { return !named_[id]->objects.contains(rollout_object_key(rollout.first)); });
  wanted_[id] = std::make_shared<const Wanted>(latest_);
  say_(format("push {} {}", id.substr(0, 7), message.substr(0, message.find('\n'))) +
       (allows_prune(message) ? " (prune allowed)" : ""));
}

/// What the files name after `changes`, kept under the empty id.
void People::note_named(const std::vector<FileChange>& changes, const std::string& message) {
  for (const FileChange& change : changes) {
    if (!is_manifest_path(change.path) || change.path.starts_with("status/") || change.path.starts_with("decisions/"))
      continue;
    unreadable_.erase(change.path);
    if (!change.content) {
      files_.erase(change.path);
      continue;
    }
    ManifestFile file = read_manifests(change.path, *change.content, "default");
    if (!file.problems.empty()) {
      unreadable_.insert(change.path);
      continue;
    }
    std::set<ObjectKey>& objects = files_[change.path];
    objects.clear();
    for (const RolloutAt& rollout : file.rollout_lines) objects.insert(rollout_object_key(rollout.key));
    for (const PlainObject& object : file.objects) objects.insert(object.key);
  }
  auto named = std::make_shared<Named>();
  named->unreadable = !unreadable_.empty();
  for (const auto& [path, objects] : files_) named->objects.insert(objects.begin(), objects.end());
  if (named_.contains(""))
    for (const ObjectKey& key : named_[""]->objects)
      if (!named->objects.contains(key)) gone_[key] = false;
  for (const ObjectKey& key : named->objects) gone_.erase(key);
  for (auto& [key, released] : gone_) {
    released = released || allows_prune(message);
    if (released) named->released.insert(key);
  }
  named_[""] = std::move(named);
}

const SimPolicy& People::policy_at(const std::string& commit) const {
  static const SimPolicy kNone;
  std::string at = commit;
  while (!policies_.contains(at)) {
    const SimCommit* found = remote_.commits.find(at);
    if (!found) return kNone;
    at = found->parent;
  }
  return *(policies_[commit] = policies_.at(at));
}

std::string People::author() { return rules_.chance(0.25) ? kMallory : kAuthors[rules_.below(2)]; }

std::string People::trailers() {
  if (!has_policy_ || !rules_.chance(0.25)) return "";
  return rules_.chance(0.5) ? "\n\nRollout-Skip-Steps: yes\n"
                            : format("\n\nRollout-Pause-At: {}\n", rules_.between(0, 100));
}

/// Another one, none any more, or a mistake.
void People::change_policy(App&) {
  const std::vector<SimPolicy::Window> kept = policy_.windows;
  policy_ = {};
  if (rules_.chance(0.15)) {
    policy_.readable = false;
    policy_.windows = kept;
    return push({{"decisions/policy.yaml", "kind: Policy\n"}}, "a policy that cannot be read");
  }
  if (rules_.chance(0.15) && remote_.read(kBranch, "decisions/policy.yaml"))
    return push({{"decisions/policy.yaml", std::nullopt}}, "no policy");
  policy_ = SimPolicy::draw(rules_);
  push({{"decisions/policy.yaml", policy_.text()}}, "another policy");
}

const Named& People::named_at(const std::string& commit) const {
  auto known = named_.find(commit);
  if (known != named_.end()) return *known->second;
  // Status commits name what their parents did.
  std::string at = commit;
  while (!named_.contains(at)) {
    const SimCommit* found = remote_.commits.find(at);
    CHECK(found);
    at = found->parent;
  }
  return *(named_[commit] = named_.at(at));
}

void People::push_app(const App& app, const std::string& message) {
  bad_[app.key] = false;
  removed_.erase(app.key);
  push(files_of(app), format("{}: {}", app.key.name, message) + trailers());
}

const Wanted& People::wanted_at(const std::string& commit) const {
  auto known = wanted_.find(commit);
  if (known != wanted_.end()) return *known->second;
  std::vector<std::string> passed;
  std::string at = commit;
  while (!wanted_.contains(at)) {
    passed.push_back(at);
    const SimCommit* found = remote_.commits.find(at);
    CHECK(found);
    at = found->parent;
  }
  auto wanted = wanted_.at(at);
  for (const std::string& id : passed) wanted_[id] = wanted;
  return *wanted;
}

void People::note_tag(const App& app) {
  auto& tags = tags_[app.key];
  if (tags.empty() || tags.back() != app.tag) tags.push_back(app.tag);
}

void People::new_image(App& app) {
  app.tag = format("v{}", ++versions_);
  note_tag(app);
  push_app(app, "deploy " + app.tag);
}

void People::broken_image(App& app) {
  app.tag = format("v{}-broken", ++versions_);
  note_tag(app);
  push_app(app, "deploy " + app.tag);
}

/// `git revert` of the last deploy.
void People::revert(App& app) {
  auto& tags = tags_[app.key];
  if (tags.size() < 2) return;
  app.tag = tags[tags.size() - 2];
  note_tag(app);
  push_app(app, "revert to " + app.tag);
}

/// Any image of the past.
void People::go_back(App& app) {
  app.tag = random_.pick(tags_[app.key]);
  note_tag(app);
  push_app(app, "go back to " + app.tag);
}

void People::scale(App& app) {
  app.replicas = random_.chance(0.15) ? 0 : random_.between(1, 5);
  push_app(app, format("{} replicas", app.replicas));
}

void People::toggle_pause(App& app) {
  if (!app.experiment.is_null()) {
    app.experiment["terminate"] = !app.experiment.value("terminate", false);
    return push_app(app, app.experiment["terminate"] == true ? "terminate" : "no more terminate");
  }
  app.paused = !app.paused;
  push_app(app, app.paused ? "pause" : "go on");
}

void People::change_steps(App& app) {
  if (!app.experiment.is_null()) {
    app.experiment = draw_standalone();
    return push_app(app, "another experiment " + dump(app.experiment));
  }
  if (!app.blue_green.is_null()) {
    app.blue_green = draw_preview();
    return push_app(app, "another preview " + dump(app.blue_green));
  }
  app.steps = draw_steps(app);
  push_app(app, "other steps " + dump(app.steps));
}

void People::change_limits(App& app) {
  auto maybe = [&](double chance, std::vector<int> values) {
    return random_.chance(chance) ? std::optional(random_.pick(values)) : std::nullopt;
  };
  app.deadline_seconds = maybe(0.6, {20, 60, 300});
  app.deadline_aborts = random_.chance(0.5);
  app.rollback_window = maybe(0.3, {0, 1, 2});
  app.history_limit = maybe(0.4, {0, 1, 3});
  app.abort_delay_seconds = maybe(0.3, {0, 1, 60});
  const bool may_delay = !app.experiment.is_null() || !app.blue_green.is_null() || (app.routed && !app.dynamic_stable);
  app.scale_down_delay_seconds = may_delay ? maybe(0.3, {0, 1, 120}) : std::nullopt;
  if (!apps_.empty() && !wanted_.empty()) push_app(app, "other limits");
}

/// `restartAt`, now or in a while.
void People::restart(App& app) {
  app.restart_at = format_time(whole_seconds(clock_.now()) + std::chrono::seconds(random_.between(-60, 120)));
  push_app(app, "restart at " + *app.restart_at);
}

void People::decide(App& app) {
  const std::string status_path = record_path("status", "default", app.key);
  auto text = remote_.read(kBranch, status_path);
  auto status = text ? read_status(status_path, *text) : Result<Status>(invalid("none"));
  if (!status) return;
  static const std::vector<Verb> verbs = {Verb::Promote, Verb::PromoteFull, Verb::Abort,
                                          Verb::Retry,   Verb::Pause,       Verb::Resume};
  RolloutDecision decision{.verb = random_.pick(verbs), .reason = "because"};
  const bool about_canary = status->canary && !random_.chance(0.1);
  if (about_canary) decision.revision = status->canary->hash;
  if (!about_canary && status->stable) decision.revision = status->stable->hash;
  if (status->run) decision.revision = status->run->hash;
  if (decision.verb == Verb::Retry && !status->rejected.empty()) decision.revision = status->rejected.front().hash;
  if (decision.revision.empty()) return;
  if (status->step && random_.chance(0.5)) decision.step = status->step->index;
  push({{record_path("decisions", "default", app.key), write_decision(app.key, decision)}},
       format("{}: {} {}", app.key.name, to_text(decision.verb), decision.revision));
}

void People::withdraw_decision(App& app) {
  const std::string path = record_path("decisions", "default", app.key);
  if (remote_.read(kBranch, path)) push({{path, std::nullopt}}, app.key.name + ": withdraw the decision");
}

void People::write_bad_file(App& app) {
  removed_.erase(app.key);
  bad_[app.key] = true;
  push({{rollout_path(app), "{\"kind\": \"Rollout\", "}}, app.key.name + ": a file that cannot be read");
}

void People::write_refused_rollout(App& app) {
  removed_.erase(app.key);
  bad_[app.key] = true;
  Json manifest = rollout_manifest(app);
  manifest["spec"]["replicas"] = -1;
  App separate = app;
  if (separate.in_one_file) return write_bad_file(app);
  push({{rollout_path(app), dump(manifest)}}, app.key.name + ": a rollout that is refused");
}

void People::move_files(App& app) {
  std::vector<FileChange> changes = removal_of(app);
  removed_.erase(app.key);
  if (random_.chance(0.5)) {
    app.in_one_file = !app.in_one_file;
  } else {
    app.folder = app.folder == "apps" ? "services" : "apps";
  }
  bad_[app.key] = false;
  for (FileChange& change : files_of(app)) changes.push_back(std::move(change));
  push(changes, app.key.name + ": move to " + rollout_path(app));
}

void People::touch_status(App& app) {
  const std::string path = record_path("status", "default", app.key);
  auto text = remote_.read(kBranch, path);
  if (!text) return;
  touched_status_ = true;
  push({{path, *text + "# looked at\n"}}, app.key.name + ": touch the status");
}

void People::edit_nothing(App& app) {
  ++app.edition;
  push_app(app, format("edition {}", app.edition));
}

void People::remove(App& app) {
  removed_.insert(app.key);
  bad_[app.key] = false;
  push(removal_of(app), app.key.name + ": remove" + (random_.chance(0.3) ? std::string(kAllow) : ""));
}

/// The Services stay.
void People::remove_rollout(App& app) {
  if (app.in_one_file) return remove(app);
  removed_.insert(app.key);
  bad_[app.key] = false;
  push({{rollout_path(app), std::nullopt}}, app.key.name + ": remove the rollout");
}

void People::remove_everything(App&) {
  std::vector<FileChange> changes;
  for (App& app : apps_) {
    removed_.insert(app.key);
    bad_[app.key] = false;
    for (FileChange& change : removal_of(app)) changes.push_back(std::move(change));
  }
  push(changes, std::string("remove everything") + (random_.chance(0.2) ? std::string(kAllow) : ""));
}

void People::allow(App&) { push({}, std::string("let it go") + std::string(kAllow)); }

void People::push_something_else() {
  ++versions_;
  push({{"README.md", format("number {}\n", versions_)}}, "something else");
}

void People::clean_up(bool touch_all) {
  std::vector<FileChange> changes;
  for (App& app : apps_) {
    const bool removed = removed_.contains(app.key);
    if (!touch_all && (removed || !bad_[app.key])) continue;
    bad_[app.key] = false;
    ++app.edition;
    // Services that stayed when their rollout went may have been refused too.
    for (FileChange& change : files_of(app))
      if (!removed || remote_.read(kBranch, change.path)) changes.push_back(std::move(change));
  }
  if (!changes.empty()) push(changes, "put everything right");
  if (remote_.read(kBranch, "decisions/policy.yaml")) {
    policy_ = {};
    push({{"decisions/policy.yaml", std::nullopt}}, "no policy");
  }
  if (!gone_.empty()) allow(apps_.front());
}

}  // namespace reconciler
