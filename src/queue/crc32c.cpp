#include "queue/crc32c.h"

#ifdef WINDLASS_ISAL
#include <algorithm>
#include <isa-l/crc.h>
#else
#include <boost/crc.hpp>
#endif

namespace windlass::queue {

#ifdef WINDLASS_ISAL

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  constexpr std::size_t most = 1 << 30;  // ISA-L takes an int
  std::uint32_t state = ~before;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, most);
    // It does not write to them, whatever the type says.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    state = ::crc32_iscsi(data, static_cast<int>(part.size()), state);
    bytes.remove_prefix(part.size());
  }
  return ~state;
}

#else

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  // The last parameters are false so that a computation can go on: both inversions are done here.
  boost::crc_optimal<32, 0x1EDC6F41, 0, 0, true, true> crc;
  // Boost takes the start unreflected.
  std::uint32_t reflected = 0;
  for (int bit = 0; bit < 32; ++bit) reflected |= ((~before >> bit) & 1u) << (31 - bit);
  crc = decltype(crc)(reflected);
  crc.process_bytes(bytes.data(), bytes.size());
  return ~crc.checksum();
}

#endif

}  // namespace windlass::queue
