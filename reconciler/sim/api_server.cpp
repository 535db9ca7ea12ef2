#include "sim/api_server.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/format.h"
#include "manifest/document.h"
#include "sim/api_call.h"
#include "sim/discovery.h"
#include "sim/openapi_v2.h"
#include "sim/watcher.h"

namespace reconciler {
namespace {

constexpr Duration kBookmarkInterval = 60s;
constexpr Duration kWatchTime = 30min;

std::optional<uint64_t> whole_number(const std::string& text) {
  uint64_t value = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<PatchKind> patch_kind_of(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  if (type == "application/json-patch+json") return PatchKind::Json;
  if (type == "application/merge-patch+json") return PatchKind::Merge;
  if (type == "application/strategic-merge-patch+json") return PatchKind::Strategic;
  if (type == "application/apply-patch+yaml") return PatchKind::Apply;
  return std::nullopt;
}

std::string continue_token(uint64_t version, const Json& last) {
  return to_base64(dump({{"rv", version},
                         {"ns", text_at(last, {"metadata", "namespace"})},
                         {"name", text_at(last, {"metadata", "name"})}}));
}

Json removed_document(const ResourcePath& path, const Removed& removed) {
  Json details = {
      {"name", path.name}, {"kind", path.type->plural}, {"uid", text_at(*removed.object, {"metadata", "uid"})}};
  if (!path.type->group.empty()) details["group"] = path.type->group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details", details}};
}

bool is_watch(const ServerRequest& request) {
  std::string watch = request.parameter("watch");
  return watch == "true" || watch == "1";
}

/// Applied objects may be YAML; everything else is JSON.
Result<Json> read_body(const ServerRequest& request) {
  auto json = parse_json(request.body);
  if (json || !request.header("content-type").starts_with("application/apply-patch+yaml")) return json;
  Documents read = read_documents("body.yaml", request.body);
  if (!read.problems.empty()) return invalid(read.problems.front().message);
  if (read.documents.size() != 1) return invalid("one document is wanted");
  return read.documents.front().value;
}

/// Reviews are answered with yes: the embedded cluster has no users.
std::optional<ServerResponse> answer_review(const ServerRequest& request) {
  if (!request.path.starts_with("/apis/authorization.k8s.io/v1/self") || request.method != "POST") return std::nullopt;
  auto review = parse_json(request.body);
  if (!review || !review->is_object()) return error_response(unsupported_media_type("application/json"));
  (*review)["status"] = {{"allowed", true}};
  return json_response(201, *review);
}

}  // namespace

/// A request whose resource is known.
struct ApiServer::Call {
  ResourcePath path;
  Presentation how;
};

ApiServer::ApiServer(World& world, Clock& clock) : world_(world), clock_(clock) {
  subscription_ = world_.subscribe([this](const StoreEvent& event) { on_event(event); });
}

ApiServer::~ApiServer() { world_.unsubscribe(subscription_); }

void ApiServer::advance() { world_.advance_to(clock_.now()); }

void ApiServer::settle(std::unique_lock<std::mutex>& lock) {
  advance();
  bool due = world_.next_due().has_value();
  lock.unlock();
  if (due) wake();
}

ServerAnswer ApiServer::answer(const ServerRequest& request) {
  if (auto review = answer_review(request)) return *review;
  Call call;
  {
    std::lock_guard lock(mutex_);
    auto path = parse_resource_path(world_.catalogue(), request.path);
    if (!path) {
      std::string plain = request.path;
      while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
      if (plain == "/openapi/v2" && request.header("accept").find("proto-openapi.spec.v2") != std::string::npos)
        return ServerResponse{.content_type = "application/octet-stream",
                              .body = openapi_v2_protobuf(world_.catalogue())};
      auto document = discovery_document(world_.catalogue(), plain, request.header("host"));
      if (document && request.method == "GET") return json_response(200, *document);
      return error_response(path_not_found());
    }
    call.path = *path;
  }
  call.how = presentation_of(request);
  return answer_resource(request, call);
}

ServerAnswer ApiServer::answer_resource(const ServerRequest& request, Call& call) {
  const std::string& method = request.method;
  if (method == "GET" || method == "HEAD") return is_watch(request) ? watch(request, call) : read(request, call);
  if (method == "DELETE") return call.path.name.empty() ? remove_all(request, call) : remove(request, call);
  bool creates = method == "POST" && (call.path.name.empty() || call.path.subresource == "eviction");
  bool changes = (method == "PUT" || method == "PATCH") && !call.path.name.empty();
  if (!creates && !changes) return error_response(method_not_allowed());
  return write(request, call);
}

ServerResponse ApiServer::read(const ServerRequest& request, const Call& call) {
  auto selectors = selectors_of(request, *call.path.type);
  if (!selectors) return error_response(selectors.error());
  if (!call.path.name.empty()) {
    std::unique_lock lock(mutex_);
    advance();
    TimePoint now = world_.now();
    auto object = world_.get(call.path);
    lock.unlock();
    if (!object) return error_response(object.error());
    return object_response(200, call.path, *object, call.how, now);
  }
  std::string after_ns, after_name;
  if (std::string token = request.parameter("continue"); !token.empty()) {
    auto text = from_base64(token);
    auto place = text ? parse_json(*text) : Result<Json>(invalid("not base64"));
    if (!place) return error_response(bad_request(format("continue key is not valid: {}", place.error().message)));
    after_ns = text_at(*place, {"ns"});
    after_name = text_at(*place, {"name"});
  }
  std::string limit_text = request.parameter("limit");
  auto limit = limit_text.empty() ? 0 : whole_number(limit_text);
  if (!limit)
    return error_response(bad_request(format("strconv.ParseInt: parsing {}: invalid syntax", dump(Json(limit_text)))));
  ListPage page;
  std::unique_lock lock(mutex_);
  advance();
  TimePoint now = world_.now();
  page.version = world_.store().version();
  world_.store().visit_after(*call.path.type, call.path.ns, after_ns, after_name, [&](const Object& object) {
    if (!selectors->match(*object)) return true;
    if (*limit && page.objects.size() == *limit) {
      ++page.remaining;
      return true;
    }
    page.objects.push_back(object);
    return true;
  });
  lock.unlock();
  if (page.remaining) page.next = continue_token(page.version, *page.objects.back());
  return list_response(call.path, page, call.how, now);
}

ServerResponse ApiServer::write(const ServerRequest& request, const Call& call) {
  std::optional<PatchKind> kind;
  std::string content_type = request.header("content-type");
  if (request.method == "PATCH") {
    kind = patch_kind_of(content_type);
    if (!kind)
      return error_response(unsupported_media_type(
          "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
          "application/apply-patch+yaml"));
  } else if (!content_type.empty() && !content_type.starts_with("application/json")) {
    return error_response(unsupported_media_type("application/json"));
  }
  auto body = read_body(request);
  if (!body) return error_response(bad_request(format("error decoding: {}", body.error().message)));
  if (kind != PatchKind::Json && !body->is_object())
    return error_response(bad_request("the body of the request must be an object"));
  WriteOptions options = write_options_of(request);
  if (kind == PatchKind::Apply && request.parameter("fieldManager").empty())
    return error_response({422, "Invalid",
                           "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for "
                           "apply patch"});

  std::unique_lock lock(mutex_);
  advance();
  TimePoint now = world_.now();
  auto finish = [&](int status, const Answer<Object>& answer) {
    settle(lock);
    if (!answer) return error_response(answer.error());
    return object_response(status, call.path, *answer, call.how, now);
  };
  if (call.path.subresource == "eviction") {
    auto removed =
        world_.evict({.type = call.path.type, .ns = call.path.ns, .name = call.path.name},
                     {.uid = text_at(*body, {"deleteOptions", "preconditions", "uid"}), .dry_run = options.dry_run});
    settle(lock);
    if (!removed) return error_response(removed.error());
    return json_response(201, {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Success"}, {"code", 201}});
  }
  if (request.method == "POST") return finish(201, world_.create(call.path, std::move(*body), options));
  if (request.method == "PUT") return finish(200, world_.update(call.path, std::move(*body), options));
  auto written = world_.patch(call.path, *kind, *body, options);
  if (!written) return finish(0, written.error());
  return finish(written->created ? 201 : 200, written->object);
}

ServerResponse ApiServer::remove(const ServerRequest& request, const Call& call) {
  auto options = remove_options_of(request);
  if (!options) return error_response(options.error());
  std::unique_lock lock(mutex_);
  advance();
  auto removed = world_.remove(call.path, *options);
  TimePoint now = world_.now();
  settle(lock);
  if (!removed) return error_response(removed.error());
  if (removed->gone && call.path.type->kind != "Pod") return json_response(200, removed_document(call.path, *removed));
  return object_response(200, call.path, removed->object, call.how, now);
}

ServerResponse ApiServer::remove_all(const ServerRequest& request, const Call& call) {
  auto options = remove_options_of(request);
  if (!options) return error_response(options.error());
  auto selectors = selectors_of(request, *call.path.type);
  if (!selectors) return error_response(selectors.error());
  if (call.path.type->kind == "Namespace") return error_response(method_not_allowed());
  std::unique_lock lock(mutex_);
  advance();
  ListPage page;
  page.objects = world_.list(call.path, selectors->labels, selectors->fields);
  for (const Object& object : page.objects) {
    ResourcePath one = call.path;
    one.ns = text_at(*object, {"metadata", "namespace"});
    one.name = text_at(*object, {"metadata", "name"});
    // What is already gone needs no removal.
    (void)world_.remove(one, *options);
  }
  TimePoint now = world_.now();
  page.version = world_.store().version();
  settle(lock);
  return list_response(call.path, page, call.how, now);
}

ServerAnswer ApiServer::watch(const ServerRequest& request, const Call& call) {
  auto selectors = selectors_of(request, *call.path.type);
  if (!selectors) return error_response(selectors.error());
  auto watcher = std::make_shared<Watcher>(Watcher{.path = call.path, .selectors = *selectors, .how = call.how});
  std::string version = request.parameter("resourceVersion");
  auto from = version.empty() ? 0 : whole_number(version);
  if (!from)
    return error_response(
        unprocessable(*call.path.type, "",
                      {{"resourceVersion", "FieldValueInvalid", format("Invalid value: {}", dump(Json(version)))}}));
  watcher->from = *from;
  watcher->initial_events = request.parameter("sendInitialEvents") == "true";
  std::string bookmarks = request.parameter("allowWatchBookmarks");
  watcher->bookmarks = bookmarks == "true" || bookmarks == "1" || watcher->initial_events;
  auto seconds = whole_number(request.parameter("timeoutSeconds")).value_or(0);
  TimePoint now = clock_.now();
  watcher->ends = now + (seconds && seconds < 86400 ? Duration(std::chrono::seconds(seconds)) : kWatchTime);
  watcher->next_bookmark = now + kBookmarkInterval;
  return StreamedResponse{
      .content_type = "application/json",
      .opened = [this, watcher](std::shared_ptr<ServerStream> stream) { open_watch(watcher, std::move(stream)); },
      .closed =
          [this, watcher] {
            std::lock_guard lock(mutex_);
            watchers_.remove(watcher);
          }};
}

void ApiServer::open_watch(const std::shared_ptr<Watcher>& watcher, std::shared_ptr<ServerStream> stream) {
  std::lock_guard lock(mutex_);
  advance();
  watcher->stream = std::move(stream);
  if (watcher->from == 0 || watcher->initial_events) {
    send_initial(*watcher);
  } else {
    auto events = world_.store().events_after(*watcher->path.type, watcher->from);
    if (!events) {
      watcher->stream->write(error_line(events.error()));
      watcher->stream->finish();
      return;
    }
    for (const StoreEvent& event : *events) watcher->stream->write(watcher->line(event, world_.now()));
  }
  // The client may have gone in the meantime; then nobody would take this watcher out again.
  if (!watcher->stream->is_closed()) watchers_.push_back(watcher);
}

void ApiServer::send_initial(Watcher& watcher) {
  for (const Object& object : world_.store().list(*watcher.path.type, watcher.path.ns))
    if (watcher.concerns(*object)) watcher.stream->write(watcher.added_line(object, world_.now()));
  if (watcher.initial_events) watcher.stream->write(watcher.bookmark_line(world_.store().version(), true));
}

void ApiServer::on_event(const StoreEvent& event) {
  for (const auto& watcher : watchers_) {
    if (watcher->path.type != event.type) continue;
    std::string line = watcher->line(event, world_.now());
    if (!line.empty()) watcher->stream->write(line);
  }
}

Duration ApiServer::tick() {
  std::lock_guard lock(mutex_);
  advance();
  TimePoint now = world_.now();
  for (const auto& watcher : watchers_) {
    if (now >= watcher->ends) {
      watcher->stream->finish();
    } else if (watcher->bookmarks && now >= watcher->next_bookmark) {
      watcher->stream->write(watcher->bookmark_line(world_.store().version(), false));
      watcher->next_bookmark = now + kBookmarkInterval;
    }
  }
  std::erase_if(watchers_, [&](const auto& watcher) { return now >= watcher->ends; });
  Duration longest = 1s;
  if (auto due = world_.next_due()) longest = std::clamp<Duration>(*due - now, 1ms, longest);
  return longest;
}

void ApiServer::wait(Duration longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return woken_; });
  woken_ = false;
}

void ApiServer::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void ApiServer::with_world(const std::function<void(World&)>& use) {
  {
    std::lock_guard lock(mutex_);
    advance();
    use(world_);
    advance();
  }
  wake();
}

}  // namespace reconciler
