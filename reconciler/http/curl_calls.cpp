#include "http/curl_calls.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace reconciler {

namespace {

constexpr long kConnectMillisecondsMax = 10'000;

struct HeaderList {
  curl_slist* first = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(first); }
  void add(const std::string& line) { first = curl_slist_append(first, line.c_str()); }
};

/// What the callbacks fill in.
struct Answer {
  HttpResponse response;
  size_t bytes_max = 0;
  bool too_large = false;
};

size_t take_body(char* bytes, size_t, size_t count, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  answer.too_large = answer.response.body.size() + count > answer.bytes_max;
  if (answer.too_large) return 0;  // ends the call
  answer.response.body.append(bytes, count);
  return count;
}

size_t take_header(char* bytes, size_t, size_t count, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  std::string_view line(bytes, count);
  size_t colon = line.find(':');
  if (colon == line.npos) return count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  line.remove_prefix(colon + 1);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front()))) line.remove_prefix(1);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.remove_suffix(1);
  answer.response.headers[name] = std::string(line);
  return count;
}

void set_blob(CURL* curl, CURLoption option, const std::string& pem) {
  curl_blob blob{.data = const_cast<char*>(pem.data()), .len = pem.size(), .flags = CURL_BLOB_NOCOPY};
  curl_easy_setopt(curl, option, &blob);
}

/// `settings` outlives the handle, so nothing of it is copied.
void set_up(CURL* curl, const HttpClientSettings& settings) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // One call at a time on each connection: HTTP/2 would only add framing.
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // a redirect would carry our token to another host
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillisecondsMax);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, settings.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, settings.proxy.c_str());  // empty: none, whatever the environment says
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.tls.ca.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // our authority alone, not the system's beside it
    set_blob(curl, CURLOPT_CAINFO_BLOB, settings.tls.ca);
  }
  if (!settings.tls.certificate.empty()) {
    set_blob(curl, CURLOPT_SSLCERT_BLOB, settings.tls.certificate);
    set_blob(curl, CURLOPT_SSLKEY_BLOB, settings.tls.key);
  }
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
}

void set_method(CURL* curl, const HttpRequest& request) {
  bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT";
  curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
  if (has_body) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  // libcurl itself sends a request again when a kept-alive connection turns out to be dead before any answer.
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request.safe_to_repeat ? 0L : 1L);
}

Error failure(CURLcode code, const Answer& answer, const char* detail) {
  if (answer.too_large) return transient("the answer is larger than " + std::to_string(answer.bytes_max) + " bytes");
  if (code == CURLE_OPERATION_TIMEDOUT) return transient("no answer in time");
  std::string words = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return transient(redact(words));
}

void initialize_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct CurlCalls::Handle {
  CURL* curl = curl_easy_init();
  std::array<char, CURL_ERROR_SIZE> detail{};
  ~Handle() { curl_easy_cleanup(curl); }
};

CurlCalls::CurlCalls(const HttpClientSettings& settings) : settings_(settings) { initialize_once(); }
CurlCalls::~CurlCalls() = default;

std::unique_ptr<CurlCalls::Handle> CurlCalls::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  auto handle = std::make_unique<Handle>();
  CHECK(handle->curl != nullptr);
  set_up(handle->curl, settings_);
  curl_easy_setopt(handle->curl, CURLOPT_ERRORBUFFER, handle->detail.data());
  return handle;
}

void CurlCalls::give_back(std::unique_ptr<Handle> handle) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

Result<HttpResponse> CurlCalls::call(const HttpRequest& request, const std::string& bearer) {
  HeaderList headers;
  headers.add("Expect:");  // else a larger body waits a round trip for permission
  if (!bearer.empty()) headers.add("Authorization: Bearer " + bearer);
  if (!request.body.empty() && !request.headers.contains("Content-Type")) headers.add("Content-Type: application/json");
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);

  auto handle = take();
  CURL* curl = handle->curl;
  Answer answer{.response = {}, .bytes_max = request.response_bytes_max};
  std::string url = settings_.base_url + request.path;
  handle->detail[0] = '\0';
  set_method(curl, request);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.first);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
  CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.response.status = static_cast<int>(status);
  if (code != CURLE_OK) {
    Error error = failure(code, answer, handle->detail.data());
    give_back(std::move(handle));
    return error;
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);  // the list goes away with this call
  give_back(std::move(handle));
  return std::move(answer.response);
}

}  // namespace reconciler
