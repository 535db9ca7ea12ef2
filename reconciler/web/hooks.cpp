#include "web/hooks.h"

#include <algorithm>

#include "base/credential_file.h"
#include "base/digest.h"
#include "base/format.h"
#include "base/log.h"
#include "web/hook_request.h"

namespace reconciler {
namespace {

constexpr size_t kDeliveriesRemembered = 1024;
constexpr size_t kRequestsAtOnce = 50;
constexpr Duration kBetweenReadings = 1s;

ServerResponse plain(int status, std::string body) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body)};
}

struct HookPath {
  std::string_view provider;
  std::string_view id;
};

/// `/hooks/<provider>/<id>` taken apart; nothing for other paths.
std::optional<HookPath> hook_path(std::string_view path) {
  constexpr std::string_view prefix = "/hooks/";
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  size_t slash = path.find('/');
  if (slash == path.npos) return std::nullopt;
  HookPath parts{path.substr(0, slash), path.substr(slash + 1)};
  if (!hook_provider(parts.provider) || parts.id.empty() || parts.id.find('/') != parts.id.npos) return std::nullopt;
  return parts;
}

}  // namespace

Hooks::Hooks(Options options, Clock& clock, std::function<void()> wake)
    : options_(std::move(options)), clock_(clock), wake_(std::move(wake)) {}

Result<std::unique_ptr<Hooks>> Hooks::open(Options options, Clock& clock, std::function<void()> wake) {
  auto hooks = std::make_unique<Hooks>(std::move(options), clock, std::move(wake));
  if (auto read = hooks->read_file(); !read) return read.error();
  return hooks;
}

Result<void> Hooks::read_file() {
  read_at_ = clock_.monotonic();
  auto text = read_secret_file(options_.file, "hooks file");
  if (!text) return text.error();
  auto hooks = parse_hooks(*text, options_.without_secret);
  wipe(*text);
  if (!hooks) return invalid(format("hooks file {}: {}", options_.file, hooks.error().message));
  hooks_ = std::move(*hooks);
  return {};
}

/// A file that cannot be read any more leaves the hooks as they were.
void Hooks::read_file_now_and_then() {
  if (clock_.monotonic() - read_at_ < kBetweenReadings) return;
  auto read = read_file();
  std::string trouble = read ? "" : read.error().message;
  if (trouble != trouble_ && !trouble.empty()) log_warn("hooks stay as they were", {{"error", trouble}});
  trouble_ = std::move(trouble);
}

std::optional<Hook> Hooks::find_hook(std::string_view provider, std::string_view id) const {
  std::optional<Hook> found;
  for (const Hook& hook : hooks_)
    if (equal_in_constant_time(hook.id, id) && hook.provider == hook_provider(provider)) found = hook;
  return found;
}

bool Hooks::is_new(const std::string& delivery) {
  if (!known_deliveries_.insert(delivery).second) return false;
  deliveries_.push_back(delivery);
  if (deliveries_.size() > kDeliveriesRemembered) {
    known_deliveries_.erase(deliveries_.front());
    deliveries_.pop_front();
  }
  return true;
}

/// A hook that does not say what was pushed concerns everybody.
bool Hooks::concerns_us(const std::vector<std::string>& refs) const {
  auto is_watched = [&](const std::string& ref) {
    return std::any_of(options_.refs.begin(), options_.refs.end(), [&](const std::string& watched) {
      return watched.ends_with('/') ? ref.starts_with(watched) : ref == watched;
    });
  };
  return refs.empty() || std::any_of(refs.begin(), refs.end(), is_watched);
}

ServerResponse Hooks::ended(HookProvider provider, std::string_view result, ServerResponse response) {
  ++counts_[{std::string(name_of(provider)), std::string(result)}];
  if (on_ended) on_ended(name_of(provider), result);
  return response;
}

std::optional<ServerResponse> Hooks::refuse(const ServerRequest& head) {
  auto path = hook_path(head.path);
  if (head.method != "POST" || !path) return plain(404, "not found\n");
  std::lock_guard lock(mutex_);
  if (buckets_.take(head.remote, clock_.monotonic())) return std::nullopt;
  auto answer = plain(429, "too many requests\n");
  answer.headers = {{"Retry-After", "1"}};
  return ended(*hook_provider(path->provider), "throttled", std::move(answer));
}

ServerResponse Hooks::answer(const ServerRequest& request) {
  auto path = hook_path(request.path);
  if (request.method != "POST" || !path) return plain(404, "not found\n");
  const HookProvider provider = *hook_provider(path->provider);
  std::optional<Hook> known;
  {
    std::lock_guard lock(mutex_);
    read_file_now_and_then();
    known = find_hook(path->provider, path->id);
  }
  // An unknown id costs the same time as a wrong signature.
  const Hook unknown{.provider = provider, .id = {}, .secrets = {"a secret that nobody has"}};
  const bool authentic = is_authentic(known.value_or(unknown), request, clock_.now());
  auto content = known && authentic ? read_hook(*known, request) : Result<HookContent>(HookContent{});
  std::lock_guard lock(mutex_);
  if (!known || !authentic) return ended(provider, "refused", plain(403, "not accepted\n"));
  if (!content) return ended(provider, "malformed", plain(400, "the payload cannot be read\n"));
  const std::string delivery = delivery_of(*known, request);
  if (!delivery.empty() && !is_new(sha256_hex(known->id + " " + delivery)))
    return ended(provider, "duplicate", plain(202, "known\n"));
  if (content->event == HookEvent::Other || !concerns_us(content->refs))
    return ended(provider, "ignored", plain(202, "not about what is watched\n"));
  auto accepted = ended(provider, "accepted", plain(202, "accepted\n"));
  ++sequence_;
  wake_();
  return accepted;
}

Hooks::Counts Hooks::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

Result<std::unique_ptr<HttpServer>> serve_hooks(Hooks& hooks, const std::string& host, uint16_t port) {
  HttpServerOptions options{
      .address = host, .port = port, .idle_time = 10s, .connections_max = kRequestsAtOnce, .threads = 1};
  options.refuse = [&hooks](const ServerRequest& head) { return hooks.refuse(head); };
  return HttpServer::start(options,
                           [&hooks](const ServerRequest& request) -> ServerAnswer { return hooks.answer(request); });
}

}  // namespace reconciler
