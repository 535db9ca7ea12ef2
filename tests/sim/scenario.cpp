#include "sim/scenario.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "base/format.h"
#include "manifest/status_file.h"
#include "sim/apps.h"
#include "sim/route_view.h"
#include "sim/stage.h"

namespace reconciler::testing {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

[[noreturn]] void refuse(const std::string& line) { throw std::runtime_error("not understood: " + line); }

Duration duration_of(const std::string& text) {
  auto duration = parse_duration(text);
  if (!duration) refuse(text);
  return *duration;
}

bool is_number(const std::string& word) { return !word.empty() && word.find_first_not_of("0123456789") == word.npos; }

/// `3` or `25%`, as a manifest has it.
Json count_of(const std::string& word) { return is_number(word) ? Json(std::stoi(word)) : Json(word); }

/// `testers` or `shadow` brings that header or mirror route, `-testers` takes it away.
Json route_step(const std::string& word) {
  const bool goes = word[0] == '-';
  const std::string name = goes ? word.substr(1) : word;
  Json route = {{"name", name}};
  if (name == "testers") {
    if (!goes) route["match"] = Json::array({{{"headerName", "x-tester"}, {"headerValue", {{"exact", "yes"}}}}});
    return {{"setHeaderRoute", std::move(route)}};
  }
  if (!goes) route["match"] = Json::array({{{"method", {{"exact", "GET"}}}}});
  return {{"setMirrorRoute", std::move(route)}};
}

AppRouter router_of(const std::string& word) {
  static const std::map<std::string, AppRouter> all = {{"istio", AppRouter::Istio},
                                                       {"two-services", AppRouter::TwoServices},
                                                       {"tls-tcp", AppRouter::TlsAndTcp},
                                                       {"subsets", AppRouter::DestinationRule},
                                                       {"gateway", AppRouter::GatewayApi},
                                                       {"nginx", AppRouter::Nginx},
                                                       {"alb", AppRouter::Alb},
                                                       {"smi", AppRouter::Smi},
                                                       {"traefik", AppRouter::Traefik},
                                                       {"apisix", AppRouter::Apisix},
                                                       {"ambassador", AppRouter::Ambassador}};
  auto router = all.find(word);
  if (router == all.end()) refuse("router " + word);
  return router->second;
}

/// `try` is an experiment until somebody ends it, `try@10` with that weight for each of its two versions, `try:30s` for
/// a time, `try@10:30s` both.
Json experiment_step(const std::string& word) {
  const size_t weight = word.find('@'), time = word.find(':');
  Json templates =
      Json::array({{{"name", "baseline"}, {"specRef", "stable"}}, {{"name", "trial"}, {"specRef", "canary"}}});
  if (weight != word.npos)
    for (Json& each : templates) each["weight"] = std::stoi(word.substr(weight + 1));
  Json out = {{"templates", std::move(templates)}};
  if (time != word.npos) out["duration"] = word.substr(time + 1);
  return {{"experiment", std::move(out)}};
}

/// `20 1m 60 pause x3 x50% match testers` as steps: weights, pauses, canary scales, routes.
Json steps_of(const Words& words, size_t first) {
  Json steps = Json::array();
  for (size_t i = first; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "pause") {
      steps.push_back({{"pause", Json::object()}});
    } else if (word.ends_with("testers") || word.ends_with("shadow")) {
      steps.push_back(route_step(word));
    } else if (word.starts_with("try")) {
      steps.push_back(experiment_step(word));
    } else if (word == "match") {
      steps.push_back({{"setCanaryScale", {{"matchTrafficWeight", true}}}});
    } else if (word.starts_with("x")) {
      const char* mode = word.ends_with("%") ? "weight" : "replicas";
      steps.push_back({{"setCanaryScale", {{mode, std::stoi(word.substr(1))}}}});
    } else if (is_number(word)) {
      steps.push_back({{"setWeight", std::stoi(word)}});
    } else {
      steps.push_back({{"pause", {{"duration", word}}}});
    }
  }
  return steps;
}

class Scenario {
 public:
  std::string play(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("  ")) continue;  // an expectation of before
      out_ += line + "\n";
      if (line.empty() || line.starts_with("#")) continue;
      do_line(line);
    }
    return out_;
  }

 private:
  void do_line(const std::string& line) {
    Words words = words_of(line);
    const std::string start = words.front();
    words.erase(words.begin());
    if (start == "given") {
      given(line.substr(line.find("given") + 5));
    } else if (start == "when" && !words.empty()) {
      begin();
      when(words, line);
    } else if (start == "then" && words.size() == 2 && words[0] == "run") {
      begin();
      go_on(duration_of(words[1]));
      for (const std::string& shown : std::exchange(shown_, {})) out_ += shown + "\n";
    } else {
      refuse(line);
    }
  }

  // ---- given ------------------------------------------------------------------------------------------------------

  void given(const std::string& clauses) {
    std::istringstream stream(clauses);
    bool first = true;
    for (std::string clause; std::getline(stream, clause, ','); first = false) {
      Words words = words_of(clause);
      if (words.empty()) refuse(clauses);
      if (first && words[0].find('/') != std::string::npos) {
        app_.key = {words[0].substr(0, words[0].find('/')), words[0].substr(words[0].find('/') + 1)};
        if (app_.key.name.ends_with(".yaml")) app_.key.name.resize(app_.key.name.size() - 5);
      } else if (words[0] == "stable" && words.size() == 3) {
        app_.tag = words[1];
        deployed_ = true;
      } else if (words[0] == "running" && words.size() == 2) {
        running_ = words[1];
      } else if (words[0] == "two" && words.size() == 2) {
        seats_ = 2;
      } else if (words[0] == "others" && words.size() == 2) {
        others_ = std::stoi(words[1]);
      } else {
        set(words, clause);
      }
    }
  }

  /// One property of the manifest: `replicas 3`, `steps 20 1m`, `no steps`, `paused`, `deadline 30s abort`.
  void set(const Words& words, const std::string& clause) {
    if (words[0] == "replicas") {
      app_.replicas = std::stoi(words.at(1));
    } else if (words[0] == "steps") {
      app_.steps = steps_of(words, 1);
    } else if (words[0] == "ping-pong") {
      app_.ping_pong = true;
    } else if (words[0] == "router") {
      app_.router = router_of(words.at(1));
      if (app_.router == AppRouter::DestinationRule) app_.has_services = false;
    } else if (words[0] == "no" && words.size() == 2) {
      if (words[1] == "steps") app_.steps = Json::array();
      if (words[1] == "services") app_.has_services = false;
      if (words[1] == "routing" || words[1] == "services") app_.routed = false;
      if (words[1] == "preview") app_.has_preview = false;
    } else if (words[0] == "experiment") {
      app_.experiment = Json::object();
      if (words.size() > 1 && words[1] != "until-ended") app_.experiment["duration"] = words[1];
      app_.routed = app_.has_services = false;
    } else if (words[0] == "terminate") {
      app_.experiment["terminate"] = true;
    } else if (words[0] == "blue-green") {
      app_.blue_green = Json::object();
      app_.routed = false;
      app_.steps = Json::array();
    } else if (words[0] == "manual" || words[0] == "automatic") {
      app_.blue_green["autoPromotionEnabled"] = words[0] == "automatic";
    } else if (words[0] == "accepted" && words.size() == 3) {
      app_.blue_green["autoPromotionSeconds"] = duration_of(words[2]) / 1s;
    } else if (words[0] == "preview") {
      app_.blue_green["previewReplicaCount"] = std::stoi(words.at(1));
    } else if (words[0] == "workload") {
      app_.workload_scale_down = words.at(1);
    } else if (words[0] == "roles") {
      app_.canary_metadata = {{"labels", {{"role", "canary"}}}};
      app_.stable_metadata = {{"labels", {{"role", "stable"}}}};
    } else if (words[0] == "apart") {
      app_.anti_affinity = {{"requiredDuringSchedulingIgnoredDuringExecution", Json::object()}};
    } else if (words[0] == "restart") {
      app_.restart_at = format_time(whole_seconds(stage_->clock.now()) + duration_of(words.at(1)));
    } else if (words[0] == "surge") {
      app_.max_surge = count_of(words.at(1));
    } else if (words[0] == "unavailable") {
      app_.max_unavailable = count_of(words.at(1));
    } else if (words[0] == "dynamic") {
      app_.dynamic_stable = true;
    } else if (words[0] == "min") {
      app_.min_pods = std::stoi(words.at(1));
    } else if (words[0] == "enough") {
      const bool percent = words.at(1).ends_with("%");
      app_.progress_threshold = {{"type", percent ? "Percent" : "Pods"}, {"value", std::stoi(words[1])}};
    } else if (words[0] == "delay") {
      app_.scale_down_delay_seconds = int(duration_of(words.at(1)) / 1s);
      if (words.size() == 4) app_.delay_revision_limit = std::stoi(words[3]);
    } else if (words[0] == "abort" && words.size() == 3) {
      app_.abort_delay_seconds = int(duration_of(words[2]) / 1s);
    } else if (words[0] == "paused") {
      app_.paused = true;
    } else if (words[0] == "unpaused") {
      app_.paused = false;
    } else if (words[0] == "deadline") {
      app_.deadline_seconds = int(duration_of(words.at(1)) / 1s);
      app_.deadline_aborts = words.size() > 2;
    } else {
      refuse(clause);
    }
  }

  /// The world comes to life with the first line that is not `given`.
  void begin() {
    if (stage_) return;
    stage_ = std::make_unique<Stage>(StageOptions{.ready_after = 2s, .interval = 60s, .seats = seats_});
    stage_->on_transition = [this](const RolloutKey&, const Decision& decision) { note_transition(decision); };
    stage_->world.subscribe([this](const StoreEvent& event) { note_event(event); });
    make_namespace();
    if (!running_.empty()) run_unmanaged();
    if (others_ > 0) commit({{"others.json", others()}}, "others");
    push("start");
    for (size_t seat = 0; seat < seats_; ++seat) stage_->start(seat);
    if (!deployed_) return;
    go_on(5min);
    shown_.clear();
    began_ = stage_->clock.passed();
  }

  void make_namespace() {
    const ResourceType* type = stage_->world.catalogue().by_kind("v1", "Namespace");
    (void)stage_->world.create({.type = type, .name = app_.key.ns}, {{"metadata", {{"name", app_.key.ns}}}});
  }

  /// ConfigMaps that have nothing to do with the rollout.
  std::string others() const {
    Json items = Json::array();
    for (int i = 0; i < others_; ++i)
      items.push_back({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", {{"name", format("other-{}", i)}, {"namespace", app_.key.ns}}}});
    return dump({{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}});
  }

  /// A ReplicaSet of somebody else's making that fits the rollout.
  void run_unmanaged() {
    const Json manifest = rollout_manifest(app_);
    Json labels = {{"app", app_.key.name}, {std::string(kHashLabel), running_}};
    Json object = {{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}};
    object["metadata"] = {{"name", app_.key.name + "-" + running_}, {"labels", labels}};
    object["spec"] = {{"replicas", app_.replicas},
                      {"selector", {{"matchLabels", labels}}},
                      {"template", manifest["spec"]["template"]}};
    object["spec"]["template"]["metadata"]["labels"] = labels;
    object["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/" + app_.key.name + ":v0";
    const ResourceType* type = stage_->world.catalogue().by_kind("apps/v1", "ReplicaSet");
    if (!stage_->world.create({.type = type, .ns = app_.key.ns}, object)) refuse("running " + running_);
    stage_->pass_time_until(10s);
  }

  // ---- when -------------------------------------------------------------------------------------------------------

  void when(const Words& words, const std::string& line) {
    const std::string& what = words[0];
    if (what == "push" && words.size() > 1) {
      push_change(words, line);
    } else if (what == "revert") {
      std::swap(app_, before_);
      push("revert");
    } else if (what == "decide" && words.size() >= 2) {
      decide(words, line);
    } else if (what == "kill") {
      kill(words);
    } else if (what == "leader" && words.size() >= 2) {
      trouble_leader(words, line);
    } else if (what == "git" && words.size() == 2) {
      stage_->faults.git_down = words[1] == "down";
      stage_->poll_soon();
    } else if (what == "lose" && words.size() == 2) {
      lose_pods(words[1]);
    } else if (what == "disk") {
      stage_->kill();
      stage_->lose_disk();
      stage_->start();
    } else {
      refuse(line);
    }
  }

  void push_change(const Words& words, const std::string& line) {
    if (words[1] == "unreadable" || words[1] == "refused") {
      Json manifest = rollout_manifest(app_);
      manifest["spec"]["replicas"] = -1;
      const std::string text = words[1] == "refused" ? dump(manifest) : "{";
      commit({{rollout_path(app_), text}}, "a mistake");
      return;
    }
    if (words[1] == "removed") return commit(removal_of(app_), "remove");
    if (words[1] == "rollout") return commit({{rollout_path(app_), std::nullopt}}, "remove the rollout");
    if (words[1] == "nothing") return commit({}, "nothing");
    if (words[1] == "allowed") return commit({}, "let it go\n\nSerin-Prune: allow\n");
    before_ = app_;
    if (words[1] == "repaired" || words[1] == "returned") {
      ++app_.edition;
    } else if (words[1].starts_with("image=")) {
      app_.tag = words[1].substr(6);
    } else {
      set(Words(words.begin() + 1, words.end()), line);
    }
    push("change " + app_.tag);
  }

  void push(const std::string& message) { commit(files_of(app_), message); }

  void commit(const std::vector<FileChange>& changes, const std::string& message) {
    stage_->remote.commit("main", changes, stage_->clock.now(), message);
    stage_->poll_soon();
  }

  std::optional<Status> status() const {
    const std::string path = record_path("status", "default", app_.key);
    auto text = stage_->remote.commits.blob_at(stage_->disk(stage_->leader()).ours, path);
    if (!text) return std::nullopt;
    auto read = read_status(path, stage_->remote.commits.blob(*text));
    return read ? std::optional(*read) : std::nullopt;
  }

  /// `decide promote`, `decide promote step 1`, `decide abort about v1`.
  void decide(const Words& words, const std::string& line) {
    auto verb = parse_verb(words[1]);
    auto now = status();
    if (!verb || !now) refuse(line);
    RolloutDecision decision{.verb = *verb, .reason = "looks right"};
    if (now->canary) decision.revision = now->canary->hash;
    if (now->run) decision.revision = now->run->hash;
    if (*verb == Verb::Retry && !now->rejected.empty()) decision.revision = now->rejected.front().hash;
    if (words.size() == 4 && words[2] == "step") decision.step = std::stoi(words[3]);
    if (words.size() == 4 && words[2] == "about" && now->stable) decision.revision = now->stable->hash;
    if (decision.revision.empty()) refuse(line);
    commit({{record_path("decisions", "default", app_.key), write_decision(app_.key, decision)}}, words[1]);
  }

  /// `kill`: now, and start again. `kill before scale`, `kill after record`: at the next call that begins so.
  void kill(const Words& words) {
    if (words.size() == 1) {
      const size_t leader = stage_->leader();
      stage_->kill(leader);
      stage_->start(leader);
      return;
    }
    std::string where = words[1];
    for (size_t i = 2; i < words.size(); ++i) where += " " + words[i];
    stage_->faults.dies_at.push_back(where);
  }

  /// `leader dies`, for good; `leader sleeps 40s`, and does not know; `leader cut off` from the lease alone.
  void trouble_leader(const Words& words, const std::string& line) {
    const size_t leader = stage_->leader();
    if (words[1] == "dies") {
      stage_->kill(leader);
    } else if (words[1] == "sleeps" && words.size() == 3) {
      stage_->pause(leader, stage_->clock.passed() + duration_of(words[2]));
    } else if (words[1] == "cut") {
      stage_->cut_off(leader);
    } else {
      refuse(line);
    }
  }

  /// Who leads is shown when it changes.
  void note_leader() {
    if (!stage_->elects() || !stage_->alive(stage_->leader()) || !stage_->daemon().begun()) return;
    if (std::exchange(leader_, stage_->leader()) != stage_->leader())
      show(format("{} leads", Stage::identity(stage_->leader())));
  }

  void lose_pods(const std::string& tag) {
    const ResourceType* pods = stage_->world.catalogue().by_kind("v1", "Pod");
    std::vector<ResourcePath> lost;
    for (const Object& pod : stage_->world.store().list(*pods, app_.key.ns))
      if (text_at((*pod)["spec"]["containers"][0], {"image"}).ends_with(":" + tag))
        lost.push_back({.type = pods, .ns = app_.key.ns, .name = text_at(*pod, {"metadata", "name"})});
    if (lost.empty()) refuse("lose " + tag);
    for (const ResourcePath& pod : lost)
      if (auto removed = stage_->world.remove(pod); !removed) refuse(removed.error().message);
  }

  // ---- then -------------------------------------------------------------------------------------------------------

  void go_on(Duration length) {
    const Duration end = stage_->clock.passed() + length;
    for (;;) {
      try {
        while (stage_->act()) note_leader();
      } catch (const ProcessKilled& killed) {
        show(format("killed {}", killed.where));
        stage_->kill(stage_->acting());
        stage_->start(stage_->acting());
        continue;
      }
      flush_writes();
      show_held();
      auto next = stage_->next_due();
      if (!next || *next > end) break;
      stage_->pass_time_until(*next);
    }
    stage_->pass_time_until(end);
  }

  std::string time() const {
    const auto seconds = (stage_->clock.passed() - began_) / 1s;
    auto two = [](int64_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    return two(seconds / 60) + ":" + two(seconds % 60);
  }

  void show(const std::string& what) {
    flush_writes();
    shown_.push_back("  " + time() + "  " + what);
  }

  /// What is kept although Git names it no more, when that changes.
  void show_held() {
    std::map<std::string, size_t> reasons;
    for (const auto& [key, why] : stage_->daemon().report().prune.held) ++reasons[why.substr(0, why.find("; "))];
    if (reasons == held_) return;
    held_ = reasons;
    if (held_.empty()) show("nothing is held");
    for (const auto& [why, count] : held_) show(format("{} held: {}", count, why));
  }

  void note_transition(const Decision& decision) {
    const Status& s = decision.status;
    std::string where(to_text(s.phase));
    if (s.step) where += format(" {}/{}", s.step->index, s.step->count);
    where.resize(std::max<size_t>(where.size(), 16), ' ');
    std::string subject = decision.subject.substr(0, decision.subject.find(" (step "));
    const std::string ending = ": " + decision.why;
    if (subject.ends_with(ending)) subject.resize(subject.size() - ending.size());
    subject.resize(std::max<size_t>(subject.size(), 18), ' ');
    show(format("{}  {}  {}", where, subject, decision.why));
  }

  std::string tag_of_hash(const std::string& hash) const {
    const ResourceType* sets = stage_->world.catalogue().by_kind("apps/v1", "ReplicaSet");
    for (const Object& set : stage_->world.store().list(*sets, app_.key.ns))
      if (text_at(*set, {"metadata", "labels", kHashLabel}) == hash) return tag_in(*set);
    return hash.empty() ? "every pod" : hash;
  }

  /// `v1`, or `baseline (v1)` where it is of an experiment.
  static std::string tag_in(const Json& set) {
    const std::string image = text_at(set["spec"]["template"]["spec"]["containers"][0], {"image"});
    const std::string tag = image.substr(image.rfind(':') + 1);
    const std::string experiment = text_at(set, {"metadata", "labels", kExperimentLabel});
    return experiment.empty() ? tag : format("{} ({})", experiment, tag);
  }

  /// The template of an experiment in the name that its ReplicaSet has.
  static std::string template_in(const std::string& name) { return name.substr(name.rfind('-') + 1); }

  /// Null where an object has none.
  static Json spec_of(const Json& object) {
    const Json* spec = find(object, {"spec"});
    return spec ? *spec : Json();
  }

  /// `weight 20 behind testers`: what the second Service gets, and the routes that steps put before the first.
  static std::string words_for_routes(const Json& http) {
    std::string before;
    for (const Json& route : http)
      if (text_at(route, {"name"}) != "primary") before += " " + text_at(route, {"name"});
    std::string further;
    for (size_t i = 2; i < http.back()["route"].size(); ++i) {
      const Json& to = http.back()["route"][i];
      further += format(", {} to {}", to.value("weight", 0), template_in(text_at(to, {"destination", "host"})));
    }
    return format("weight {}{}{}", http.back()["route"][1].value("weight", 0), further,
                  before.empty() ? "" : " behind" + before);
  }

  /// `HTTPRoute till 80/20`: what each of its routes gives to the two Services; `DestinationRule till v1/v2`.
  std::string words_for_router(const Json& object) const {
    std::string out = text_at(object, {"kind"}) + " " + text_at(object, {"metadata", "name"});
    if (text_at(object, {"kind"}) == "DestinationRule") {
      const auto [stable, canary] = subset_hashes(object);
      return format("{} {}/{}", out, tag_of_hash(stable), tag_of_hash(canary));
    }
    if (text_at(object, {"kind"}) == "Ingress" && !extra_route_target(object).empty()) out += " behind testers";
    for (const RouteShare& share : shares_in(object, app_.key)) {
      out += format(" {}/{}", share.first, share.second);
      for (const auto& [name, weight] : share.further) out += format("/{} {}", weight, template_in(name));
    }
    return out;
  }

  /// What the program writes, in the words of a person who watches.
  void note_event(const StoreEvent& event) {
    if (!stage_->writer.is_serin) return;
    // The Service of an experiment comes and goes with its pods.
    if (event.type->kind == "Service" && !text_at(*event.object, {"metadata", "labels", kExperimentLabel}).empty())
      return;
    if (event.kind == StoreEvent::Kind::Deleted && event.type->kind != "ReplicaSet")
      return writes_.push_back(format("delete {} {}", event.type->kind, text_at(*event.object, {"metadata", "name"})));
    // Applying a manifest is shown when it moves traffic.
    if (!stage_->writer.rollout && (!event.previous || spec_of(*event.object) == spec_of(*event.previous))) return;
    const Json& now = *event.object;
    const std::string name = text_at(now, {"metadata", "name"});
    if (event.type->kind == "Pod") return note_pod(event, now);
    if (event.type->kind == "Deployment") {
      writes_.push_back(format("Deployment x{}", integer_at(now, {"spec", "replicas"}).value_or(1)));
    } else if (is_route_kind(event.type->kind) && app_.router != AppRouter::Istio) {
      writes_.push_back(words_for_router(now));
    } else if (event.type->kind == "VirtualService") {
      writes_.push_back(words_for_routes(*find(now, {"spec", "http"})));
    } else if (event.type->kind == "Service") {
      const bool canary = name == app_.canary_service();
      const bool whole = !app_.blue_green.is_null();
      writes_.push_back(format("{} Service to {}",
                               canary  ? (whole ? "preview" : "canary")
                               : whole ? "active"
                                       : "stable",
                               tag_of_hash(text_at(now, {"spec", "selector", kHashLabel}))));
    } else if (event.kind == StoreEvent::Kind::Deleted) {
      writes_.push_back(format("forget {}", tag_in(now)));
    } else {
      note_replica_set(event, now);
    }
  }

  void note_pod(const StoreEvent& event, const Json& now) {
    const std::string role = text_at(now, {"metadata", "labels", "role"});
    if (event.kind == StoreEvent::Kind::Deleted) {
      writes_.push_back(format("evict a pod of {}", tag_in_pod(now)));
    } else {
      writes_.push_back(format("a pod of {} is {}", tag_in_pod(now), role.empty() ? "without role" : role));
    }
  }

  static std::string tag_in_pod(const Json& pod) {
    const std::string image = text_at(pod["spec"]["containers"][0], {"image"});
    return image.substr(image.rfind(':') + 1);
  }

  void note_replica_set(const StoreEvent& event, const Json& now) {
    const auto replicas = integer_at(now, {"spec", "replicas"}).value_or(1);
    auto deadline = parse_time(text_at(now, {"metadata", "annotations", kScaleDownDeadlineAnnotation}));
    const bool added = event.kind == StoreEvent::Kind::Added;
    if (added || replicas != integer_at(*event.previous, {"spec", "replicas"}).value_or(1)) {
      writes_.push_back(format("{} x{}", tag_in(now), replicas));
    } else if (text_at(now, {"metadata", "annotations", kRejectedAnnotation}) !=
               text_at(*event.previous, {"metadata", "annotations", kRejectedAnnotation})) {
      writes_.push_back(format("{} marked", tag_in(now)));
    } else if (now["spec"]["template"]["spec"] != (*event.previous)["spec"]["template"]["spec"]) {
      writes_.push_back(format("{} may run anywhere", tag_in(now)));
    } else if (now["spec"]["template"] != (*event.previous)["spec"]["template"]) {
      const std::string role = text_at(now, {"spec", "template", "metadata", "labels", "role"});
      writes_.push_back(format("{} is {}", tag_in(now), role.empty() ? "without role" : role));
    } else if (deadline) {
      const auto left = std::chrono::duration_cast<std::chrono::seconds>(*deadline - stage_->clock.now());
      writes_.push_back(format("{} goes in {}", tag_in(now), format_duration(left)));
    } else if (text_at(now, {"metadata", "labels", kOwnerLabel}) !=
               text_at(*event.previous, {"metadata", "labels", kOwnerLabel})) {
      writes_.push_back(format("adopt {}", tag_in(now)));
    } else {
      writes_.push_back(format("{} stays", tag_in(now)));
    }
  }

  /// Writes of one moment share a line.
  void flush_writes() {
    if (writes_.empty()) return;
    std::string line;
    for (const std::string& write : writes_) line += (line.empty() ? "" : ", ") + write;
    shown_.push_back("  " + time() + "    " + line);
    writes_.clear();
  }

  App app_, before_;
  bool deployed_ = false;
  std::string running_;
  size_t seats_ = 1;
  int others_ = 0;
  std::map<std::string, size_t> held_;  ///< reasons shown last
  std::unique_ptr<Stage> stage_;
  std::optional<size_t> leader_;
  Duration began_{0};  ///< where the times of the transcript count from
  std::vector<std::string> writes_, shown_;
  std::string out_;
};

}  // namespace

std::string played(const std::string& text) { return Scenario().play(text); }

}  // namespace reconciler::testing
