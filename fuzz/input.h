// What fuzz targets share: how they read their input, and how they say that something is wrong.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace windlass::fuzz {

/// Ends the run as a finding unless `condition` holds.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// The input: choices from its front, and the rest as what is fed.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(reinterpret_cast<const char*>(data), size) {}

  /// The next byte; 0 when there is none.
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  /// A length, and so many bytes: the sizes that the rest is cut into, over and over; 0 stands for all that is left.
  std::vector<std::uint8_t> cuts() {
    std::vector<std::uint8_t> sizes(byte() % 8);
    for (std::uint8_t& size : sizes) size = byte();
    return sizes;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

/// Hands `bytes` on in pieces of these sizes until `take` says false.
template <typename Take>
void in_pieces(std::string_view bytes, const std::vector<std::uint8_t>& cuts, Take take) {
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const std::size_t cut = cuts.empty() ? 0 : cuts[i % cuts.size()];
    const std::string_view piece = bytes.substr(0, cut == 0 ? bytes.size() : cut);
    if (!take(piece)) return;
    bytes.remove_prefix(piece.size());
  }
}

}  // namespace windlass::fuzz
