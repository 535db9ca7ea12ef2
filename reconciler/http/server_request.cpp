#include "http/server_request.h"

#include <cstdio>

namespace reconciler {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string ServerRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return "";
}

bool ServerRequest::has_parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return true;
  return false;
}

std::string ServerRequest::header(const std::string& name) const {
  auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string percent_decoded(std::string_view text, PlusIs plus) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
    int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += char(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == PlusIs::Space ? ' ' : text[i];
    }
  }
  return out;
}

void split_target(ServerRequest& request) {
  std::string_view target = request.target;
  size_t mark = std::min(target.find('?'), target.size());
  request.path = percent_decoded(target.substr(0, mark), PlusIs::Plus);
  std::string_view query = target.substr(std::min(mark + 1, target.size()));
  while (!query.empty()) {
    size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    size_t equals = std::min(pair.find('='), pair.size());
    request.query.emplace_back(percent_decoded(pair.substr(0, equals), PlusIs::Space),
                               percent_decoded(pair.substr(std::min(equals + 1, pair.size())), PlusIs::Space));
  }
}

std::string as_chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  std::string chunk = size;
  chunk += bytes;
  chunk += "\r\n";
  return chunk;
}

}  // namespace reconciler
