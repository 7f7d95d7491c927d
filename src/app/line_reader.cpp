#include "app/line_reader.h"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace windlass::app {

LineReader::LineReader(int descriptor, Options options)
    : descriptor_(descriptor), options_(options), cutter_({options.block_bytes, options.max_line_bytes}) {
  cutter_.restart({options.offset, options.offset, false});
}

LineReader::Filled LineReader::fill() {
  if (error_) return Filled::failed;
  if (at_end_) return Filled::end;
  const std::span<char> room = cutter_.prepare();
  if (options_.may_wait && !wait()) return error_ ? Filled::failed : Filled::interrupted;
  const ssize_t got = ::read(descriptor_, room.data(), room.size());
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return Filled::interrupted;
    error_ = {errno, std::system_category()};
    return Filled::failed;
  }
  if (got == 0) {
    at_end_ = true;
    cutter_.finish();
    return cutter_.pending() > 0 ? Filled::block : Filled::end;
  }
  cutter_.commit(static_cast<std::size_t>(got));
  return Filled::block;
}

/// Until there is something to read; false when something else happened.
bool LineReader::wait() {
  pollfd descriptors[2] = {{descriptor_, POLLIN, 0}, {options_.wake_descriptor, POLLIN, 0}};
  if (::poll(descriptors, 2, -1) < 0) {
    if (errno != EINTR) error_ = {errno, std::system_category()};
    return false;
  }
  return descriptors[1].revents == 0;
}

}  // namespace windlass::app
