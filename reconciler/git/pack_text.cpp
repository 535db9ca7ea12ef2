#include "git/pack_text.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace reconciler {
namespace {

constexpr unsigned kOffsetDelta = 6;
constexpr int kDepthMax = 40;  // git's own bound is 50
constexpr size_t kCopyMax = 0xffffff;
constexpr size_t kInsertMax = 0x7f;

void append_number(std::string& text, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
}

/// Seven bits a byte, the lowest first.
std::string varint(size_t number) {
  std::string text;
  for (; number >= 0x80; number >>= 7) text += static_cast<char>(0x80 | (number & 0x7f));
  return text + static_cast<char>(number);
}

/// How far back the base of a delta lies: seven bits a byte, the highest first, each further byte counting from one.
std::string distance_text(size_t distance) {
  std::string text(1, static_cast<char>(distance & 0x7f));
  while (distance >>= 7) text.insert(text.begin(), static_cast<char>(0x80 | (--distance & 0x7f)));
  return text;
}

/// The bytes of `number` that are not zero; which ones they are goes to `flags`, from bit `first` on.
std::string nonzero_bytes(size_t number, unsigned first, unsigned& flags) {
  std::string bytes;
  for (unsigned flag = 1u << first; number > 0; flag <<= 1, number >>= 8) {
    if ((number & 0xff) == 0) continue;
    bytes += static_cast<char>(number);
    flags |= flag;
  }
  return bytes;
}

void append_copy(std::string& delta, size_t from, size_t count) {
  for (size_t part = 0; count > 0; from += part, count -= part) {
    part = std::min(count, kCopyMax);
    unsigned command = 0x80;
    const std::string operands = nonzero_bytes(from, 0, command) + nonzero_bytes(part, 4, command);
    delta += static_cast<char>(command);
    delta += operands;
  }
}

void append_insert(std::string& delta, std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kInsertMax))) {
    std::string_view part = bytes.substr(0, kInsertMax);
    delta += static_cast<char>(part.size());
    delta += part;
  }
}

/// What makes `after` of `before`: their common start, what is new, their common end.
std::string difference(std::string_view before, std::string_view after) {
  const size_t shorter = std::min(before.size(), after.size());
  const auto stop = std::mismatch(before.begin(), before.begin() + std::ptrdiff_t(shorter), after.begin()).first;
  const auto start = static_cast<size_t>(stop - before.begin());
  const size_t most = shorter - start;
  size_t end = 0;
  while (end < most && before[before.size() - 1 - end] == after[after.size() - 1 - end]) ++end;
  std::string delta = varint(before.size()) + varint(after.size());
  append_copy(delta, 0, start);
  append_insert(delta, after.substr(start, after.size() - start - end));
  append_copy(delta, before.size() - end, end);
  return delta;
}

std::optional<std::string> deflated(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  auto* to = reinterpret_cast<Bytef*>(out.data());
  if (compress2(to, &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), Z_BEST_SPEED) != Z_OK)
    return std::nullopt;
  out.resize(size);
  return out;
}

/// The header of an entry: its type and size, four bits of it first.
std::string entry_header(unsigned type, size_t size) {
  std::string text(1, static_cast<char>(type << 4 | (size & 0x0f)));
  if (size >>= 4; size > 0) {
    text[0] = static_cast<char>(text[0] | 0x80);
    text += varint(size);
  }
  return text;
}

std::string checksum(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

/// Where an entry stands in the file, and how many others must be read before it.
struct Place {
  size_t offset = 0;
  int depth = 0;
};

}  // namespace

Result<std::string> pack_text(const std::vector<NewObject>& objects) {
  std::string text = "PACK";
  append_number(text, 2);
  append_number(text, static_cast<uint32_t>(objects.size()));
  std::vector<Place> places;
  for (const NewObject& object : objects) {
    Place place{.offset = text.size()};
    std::string difference_text;
    const bool differs = object.like && places[*object.like].depth < kDepthMax;
    if (differs) {
      const Place& base = places[*object.like];
      place.depth = base.depth + 1;
      difference_text = difference(objects[*object.like].content, object.content);
      text += entry_header(kOffsetDelta, difference_text.size()) + distance_text(place.offset - base.offset);
    } else {
      text += entry_header(static_cast<unsigned>(object.type), object.content.size());
    }
    auto packed = deflated(differs ? difference_text : object.content);
    if (!packed) return transient("no memory to write a pack");
    text += *packed;
    places.push_back(place);
  }
  return text + checksum(text);
}

}  // namespace reconciler
