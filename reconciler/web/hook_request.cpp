#include "web/hook_request.h"

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/format.h"
#include "base/json.h"
#include "base/text.h"

namespace reconciler {
namespace {

constexpr Duration kTimestampSlack = 5min;
constexpr size_t kRefsMax = 100;
constexpr int kDepthMax = 64;

/// The hex digits after `sha256=`; empty when it does not begin so.
std::string after_prefix(const std::string& header) {
  constexpr std::string_view prefix = "sha256=";
  return header.starts_with(prefix) ? lower_case(header.substr(prefix.size())) : "";
}

bool is_recent(const std::string& seconds, TimePoint now) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  // Compared in seconds: the text may hold any 64-bit number, which would not fit in milliseconds.
  const int64_t then = value, present = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const int64_t slack = std::chrono::duration_cast<std::chrono::seconds>(kTimestampSlack).count();
  return error == std::errc() && end == seconds.data() + seconds.size() && then >= present - slack &&
         then <= present + slack;
}

bool matches(const Hook& hook, const ServerRequest& request, const std::string& secret) {
  auto signed_as = [&](const std::string& signature, const std::string& text) {
    return equal_in_constant_time(hmac_sha256_hex(secret, text), signature);
  };
  switch (hook.provider) {
    case HookProvider::GitHub: return signed_as(after_prefix(request.header("x-hub-signature-256")), request.body);
    case HookProvider::GitLab:
      // The token itself is sent: hashed, so that the comparison does not tell its length.
      return equal_in_constant_time(sha256_hex(request.header("x-gitlab-token")), sha256_hex(secret));
    case HookProvider::Gitea: return signed_as(lower_case(request.header("x-gitea-signature")), request.body);
    case HookProvider::Bitbucket: return signed_as(after_prefix(request.header("x-hub-signature")), request.body);
    case HookProvider::Generic:
      return signed_as(after_prefix(request.header("x-signature")), request.header("x-timestamp") + "." + request.body);
  }
  unreachable();
}

HookEvent event_of(const Hook& hook, const ServerRequest& request) {
  auto is_one_of = [](const std::string& name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end() ? HookEvent::Push : HookEvent::Other;
  };
  switch (hook.provider) {
    case HookProvider::GitHub: return is_one_of(request.header("x-github-event"), {"push", "ping"});
    case HookProvider::GitLab: return is_one_of(request.header("x-gitlab-event"), {"Push Hook", "Tag Push Hook"});
    case HookProvider::Gitea: return is_one_of(request.header("x-gitea-event"), {"push"});
    case HookProvider::Bitbucket: return is_one_of(request.header("x-event-key"), {"repo:push", "repo:refs_changed"});
    case HookProvider::Generic: return HookEvent::Push;
  }
  unreachable();
}

/// GitHub can send its JSON as a field of a form; others call any body a form.
std::string payload_of(const ServerRequest& request) {
  if (!request.header("content-type").starts_with("application/x-www-form-urlencoded")) return request.body;
  constexpr std::string_view field = "payload=";
  std::string_view body = request.body;
  while (!body.empty()) {
    std::string_view pair = body.substr(0, body.find('&'));
    if (pair.starts_with(field)) return percent_decoded(pair.substr(field.size()), PlusIs::Space);
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
  }
  return request.body;
}

void add(std::vector<std::string>& refs, std::string ref) {
  if (!ref.empty() && refs.size() < kRefsMax) refs.push_back(std::move(ref));
}

/// `push.changes[].new` of Bitbucket Cloud (`old` when it was deleted), `changes[].refId` of its server.
std::vector<std::string> bitbucket_refs(const Json& payload) {
  std::vector<std::string> refs;
  const Json* changes = find(payload, {"push", "changes"});
  if (!changes) changes = find(payload, {"changes"});
  if (!changes || !changes->is_array()) return refs;
  for (const Json& change : *changes) {
    add(refs, text_at(change, {"refId"}));
    for (const char* side : {"new", "old"}) {
      std::string name = text_at(change, {side, "name"});
      if (name.empty()) continue;
      add(refs, (text_at(change, {side, "type"}) == "tag" ? "refs/tags/" : "refs/heads/") + name);
    }
  }
  return refs;
}

}  // namespace

bool is_authentic(const Hook& hook, const ServerRequest& request, TimePoint now) {
  if (hook.provider == HookProvider::Generic && !hook.secrets.empty() && !is_recent(request.header("x-timestamp"), now))
    return false;
  if (hook.secrets.empty()) return true;
  bool authentic = false;
  for (const std::string& secret : hook.secrets) authentic = matches(hook, request, secret) || authentic;
  return authentic;
}

std::string delivery_of(const Hook& hook, const ServerRequest& request) {
  switch (hook.provider) {
    case HookProvider::GitHub: return request.header("x-github-delivery");
    case HookProvider::GitLab: return request.header("x-gitlab-event-uuid");
    case HookProvider::Gitea: return request.header("x-gitea-delivery");
    case HookProvider::Bitbucket: {
      std::string id = request.header("x-request-uuid");
      return id.empty() ? request.header("x-request-id") : id;
    }
    case HookProvider::Generic: return request.header("x-signature");
  }
  unreachable();
}

Result<HookContent> read_hook(const Hook& hook, const ServerRequest& request) {
  HookContent content{.event = event_of(hook, request)};
  if (content.event == HookEvent::Other || hook.provider == HookProvider::Generic) return content;
  auto payload = parse_json(payload_of(request), kDepthMax);
  if (!payload) return payload.error();
  if (!payload->is_object()) return invalid("the payload is no JSON object");
  if (hook.provider == HookProvider::Bitbucket) content.refs = bitbucket_refs(*payload);
  if (hook.provider != HookProvider::Bitbucket) add(content.refs, text_at(*payload, {"ref"}));
  return content;
}

}  // namespace reconciler
