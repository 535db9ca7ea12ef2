#include "web/hook_file.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr size_t kHooksMax = 100;
constexpr size_t kIdCharactersMin = 22;  // 128 bits in base64
constexpr size_t kIdCharactersMax = 128;
constexpr size_t kSecretCharactersMin = 16;

constexpr std::string_view kIdCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    if (line.empty() || line.front() == '#') return words;
    words.emplace_back(line.substr(0, line.find_first_of(" \t\r")));
    line.remove_prefix(words.back().size());
  }
}

/// What is wrong with a line; empty when nothing is.
std::string complaint(const std::vector<std::string>& words, HooksWithoutSecret without_secret) {
  if (!hook_provider(words[0])) return "a line begins with github, gitlab, gitea, forgejo, bitbucket or generic";
  if (words.size() < 2 || words.size() > 4) return "must be: provider id secret [former-secret]";
  const std::string& id = words[1];
  if (id.size() < kIdCharactersMin || id.size() > kIdCharactersMax || id.find_first_not_of(kIdCharacters) != id.npos)
    return format("the id must be {} to {} letters, digits, - and _; make one with `openssl rand -hex 16`",
                  kIdCharactersMin, kIdCharactersMax);
  if (words.size() == 2 && without_secret == HooksWithoutSecret::Refused)
    return "without a secret a hook is answered on loopback only; add one, made with `openssl rand -hex 32`";
  for (size_t i = 2; i < words.size(); ++i)
    if (words[i].size() < kSecretCharactersMin)
      return format("a secret needs {} characters; make one with `openssl rand -hex 32`", kSecretCharactersMin);
  return "";
}

}  // namespace

std::optional<HookProvider> hook_provider(std::string_view name) {
  if (name == "github") return HookProvider::GitHub;
  if (name == "gitlab") return HookProvider::GitLab;
  if (name == "gitea" || name == "forgejo") return HookProvider::Gitea;
  if (name == "bitbucket") return HookProvider::Bitbucket;
  if (name == "generic") return HookProvider::Generic;
  return std::nullopt;
}

std::string_view name_of(HookProvider provider) {
  switch (provider) {
    case HookProvider::GitHub: return "github";
    case HookProvider::GitLab: return "gitlab";
    case HookProvider::Gitea: return "gitea";
    case HookProvider::Bitbucket: return "bitbucket";
    case HookProvider::Generic: return "generic";
  }
  unreachable();
}

Result<std::vector<Hook>> parse_hooks(std::string_view text, HooksWithoutSecret without_secret) {
  std::vector<Hook> hooks;
  for (size_t number = 1; !text.empty(); ++number) {
    auto words = words_of(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    if (words.empty()) continue;
    auto wrong = complaint(words, without_secret);
    bool known = words.size() > 1 &&
                 std::any_of(hooks.begin(), hooks.end(), [&](const Hook& hook) { return hook.id == words[1]; });
    if (wrong.empty() && known) wrong = "this id stands twice";
    if (wrong.empty() && hooks.size() == kHooksMax) wrong = format("more than {} hooks", kHooksMax);
    if (!wrong.empty()) return invalid(format("line {}: {}", number, wrong));
    hooks.push_back(
        {.provider = *hook_provider(words[0]), .id = words[1], .secrets = {words.begin() + 2, words.end()}});
  }
  return hooks;
}

}  // namespace reconciler
