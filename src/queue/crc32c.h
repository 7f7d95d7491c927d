// CRC-32C (Castagnoli; RFC 3720, section 12.1), which guards every byte that the queue stores.
#pragma once

#include <cstdint>
#include <string_view>

namespace windlass::queue {

/// Of the bytes, going on from `before`: crc32c(b, crc32c(a)) is that of a and b together. Computed by ISA-L, with the
/// processor's own instructions; by Boost.CRC where ISA-L is missing.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace windlass::queue
