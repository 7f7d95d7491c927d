// What a relay's clients did.
#pragma once

#include <cstdint>
#include <map>

namespace windlass::app {

/// Why a connection to a client ended, where it was our doing.
enum class RelayEnd {
  none,
  stopped,         ///< the relay ends
  protocol_error,  ///< what came breaks the protocol, or is no JSON object
  half_window,     ///< a window was begun, and nothing came of it
  idle,            ///< nothing came, and nothing was owed
  deaf,            ///< it does not take its answers
  memory,          ///< it held the most of the memory for what is not complete, when that was used up
  dropped,         ///< an event of it was dropped: it is to send it again
};

/// The word for it in the report: "protocol_error".
const char* to_string(RelayEnd end) noexcept;

struct RelayCounters {
  std::uint64_t connections = 0;          ///< accepted
  std::uint64_t failed_accepts = 0;       ///< connections that could not be accepted, or whose TLS handshake failed
  std::uint64_t windows = 0;              ///< received whole
  std::uint64_t events = 0;               ///< handed in
  std::uint64_t bytes = 0;                ///< of them
  std::uint64_t acked_windows = 0;        ///< acknowledged in full
  std::uint64_t acked = 0;                ///< events acknowledged to clients
  std::uint64_t keep_alives = 0;          ///< sent
  std::map<RelayEnd, std::uint64_t> cut;  ///< connections that we ended, by reason, but for those at the end
};

}  // namespace windlass::app
