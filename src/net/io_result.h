// One step on a non-blocking socket, encrypted or not.
#pragma once

#include <cstddef>
#include <string_view>
#include <system_error>

namespace windlass::net {

struct IoResult {
  enum class Status {
    done,        ///< `count` bytes were moved
    want_read,   ///< nothing was: try again when the socket is readable
    want_write,  ///< nothing was: try again when the socket is writable
    ended,       ///< the peer has ended its side
    failed,      ///< with `error`
  };
  Status status = Status::done;
  std::size_t count = 0;
  std::error_code error;
};

/// recv and send on a non-blocking socket, repeated when a signal interrupts them; no SIGPIPE.
IoResult receive_some(int socket, char* to, std::size_t count) noexcept;
/// As receive_some, but what is received stays there.
IoResult peek_some(int socket, char* to, std::size_t count) noexcept;
IoResult send_some(int socket, std::string_view bytes) noexcept;

}  // namespace windlass::net
