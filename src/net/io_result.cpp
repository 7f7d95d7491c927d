#include "net/io_result.h"

#include <cerrno>
#include <sys/socket.h>

namespace windlass::net {
namespace {

IoResult failed_with(int error, IoResult::Status when_it_would_block) noexcept {
  if (error == EAGAIN || error == EWOULDBLOCK) return {when_it_would_block, 0, {}};
  return {IoResult::Status::failed, 0, std::error_code(error, std::system_category())};
}

IoResult receive(int socket, char* to, std::size_t count, int flags) noexcept {
  for (;;) {
    const ssize_t got = ::recv(socket, to, count, flags);
    if (got > 0) return {IoResult::Status::done, static_cast<std::size_t>(got), {}};
    if (got == 0) return {IoResult::Status::ended, 0, {}};
    if (errno != EINTR) return failed_with(errno, IoResult::Status::want_read);
  }
}

}  // namespace

IoResult receive_some(int socket, char* to, std::size_t count) noexcept {
  return receive(socket, to, count, 0);
}

IoResult peek_some(int socket, char* to, std::size_t count) noexcept {
  return receive(socket, to, count, MSG_PEEK);
}

IoResult send_some(int socket, std::string_view bytes) noexcept {
  for (;;) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {IoResult::Status::done, static_cast<std::size_t>(sent), {}};
    if (errno != EINTR) return failed_with(errno, IoResult::Status::want_write);
  }
}

}  // namespace windlass::net
