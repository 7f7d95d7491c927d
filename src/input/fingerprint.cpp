#include "input/fingerprint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <openssl/sha.h>

#include "base/random.h"

namespace windlass::input {

std::uint64_t hash_of(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::uint64_t hash = 0;
  for (std::size_t index = 0; index < sizeof hash; ++index) hash = (hash << 8) | digest[index];
  return hash;
}

bool Fingerprint::matches(std::string_view head) const {
  return length <= head.size() && (length == 0 || hash_of(head.substr(0, length)) == hash);
}

Fingerprint Fingerprint::of(std::string_view head) {
  head = head.substr(0, fingerprint_bytes);
  return {static_cast<std::uint32_t>(head.size()), head.empty() ? 0 : hash_of(head)};
}

std::uint64_t mark_end(std::uint64_t offset) {
  if (offset < 2 * fingerprint_bytes) return 0;
  const int shift = std::bit_width(offset) - 3;
  return offset >> shift << shift;
}

std::error_code read_at(OpenFile& file, std::uint64_t offset, std::size_t size, std::string& to) {
  to.resize(size);
  std::size_t length = 0;
  while (length < size) {
    std::size_t got = 0;
    if (const std::error_code error = file.read(offset + length, to.data() + length, size - length, got)) return error;
    if (got == 0) break;
    length += got;
  }
  to.resize(length);
  return {};
}

std::uint64_t identity_of(const FileStatus& status, std::string_view head, std::uint32_t generation) {
  const std::string_view first = head.substr(0, std::min(head.find('\n'), fingerprint_bytes));
  std::uint64_t hash = 0;
  for (const std::uint64_t value : {status.key.device, status.key.inode, static_cast<std::uint64_t>(status.born),
                                    hash_of(first), std::uint64_t{generation}})
    hash = base::Random(hash ^ value)();
  return hash == 0 ? 1 : hash;
}

bool identity_is_settled(std::string_view head) {
  return head.size() >= fingerprint_bytes || head.find('\n') != std::string_view::npos;
}

}  // namespace windlass::input
