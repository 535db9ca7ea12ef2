#include "cli/demo_script.h"

#include <map>

#include "base/format.h"
#include "cli/examples.h"

namespace reconciler {
namespace {

constexpr std::string_view kChanged = "shop/checkout/rollout.yaml";
const RolloutKey kCheckout{"shop", "checkout"};
constexpr int kRolloutCount = 3;
/// In the middle of its steps: the bad version is noticed here.
constexpr int kRevertAtStep = 3;
const std::string kAnn = "Ann Developer <ann@example.com>";
const std::string kOle = "Ole Oncall <ole@example.com>";

}  // namespace

Result<DemoScript::Deed> DemoScript::begin(TimePoint now) {
  std::map<std::string, std::optional<std::string>> files;
  for (const ExampleFile& file : example_files()) {
    files[std::string(file.path)] = std::string(file.text);
    if (file.path == kChanged) manifest_ = file.text;
  }
  auto made = branch_.commit(files, "Add the shop\n", kAnn, now);
  if (!made) return made.error();
  return Deed{"A repository with two services; nothing runs yet", "git commit -m \"Add the shop\" && git push"};
}

Result<DemoScript::Deed> DemoScript::deploy(const std::string& from, const std::string& to, const std::string& heading,
                                            TimePoint now) {
  const size_t at = manifest_.find("checkout:" + from);
  if (at == manifest_.npos) return invalid(format("the example {} does not run {}", kChanged, from));
  before_ = manifest_;
  manifest_.replace(at, ("checkout:" + from).size(), "checkout:" + to);
  auto made = branch_.commit({{std::string(kChanged), manifest_}}, format("Deploy checkout {}\n", to), kAnn, now);
  if (!made) return made.error();
  return Deed{heading, format("git commit -m \"Deploy checkout {}\" && git push", to)};
}

Result<std::optional<DemoScript::Deed>> DemoScript::after(const RolloutKey& key, const Decision& decision,
                                                          TimePoint now) {
  const bool healthy = decision.status.phase == Phase::Healthy;
  const bool is_checkout = key == kCheckout;
  std::optional<Deed> none;
  if (stage_ == Stage::FirstDeploy && healthy && ++healthy_ == kRolloutCount) {
    stage_ = Stage::Canary;
    auto deed = deploy("v1", "v2", "A new image: the canary walks through its steps", now);
    return deed ? Result<std::optional<Deed>>(std::optional(*deed)) : deed.error();
  }
  if (stage_ == Stage::Canary && is_checkout && healthy) {
    stage_ = Stage::BadCanary;
    auto deed = deploy("v2", "v3", "Another image, and somebody does not like what it does", now);
    return deed ? Result<std::optional<Deed>>(std::optional(*deed)) : deed.error();
  }
  if (stage_ == Stage::BadCanary && is_checkout && decision.status.step &&
      decision.status.step->index == kRevertAtStep) {
    stage_ = Stage::Revert;
    manifest_ = before_;
    auto made = branch_.commit({{std::string(kChanged), manifest_}}, "Revert \"Deploy checkout v3\"\n", kOle, now);
    if (!made) return made.error();
    return std::optional(Deed{"git revert, in mid-canary", "git revert HEAD && git push"});
  }
  if (stage_ == Stage::Revert && is_checkout && healthy) stage_ = Stage::Finished;
  return none;
}

}  // namespace reconciler
