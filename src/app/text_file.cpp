#include "app/text_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "app/config_error.h"

namespace windlass::app {
namespace {

constexpr std::size_t longest_path = 200;  // in messages

}  // namespace

std::string read_text_file(const std::string& path, std::size_t limit) {
  const auto fail = [&](int error) {
    throw ConfigError({printable(path, longest_path)}, {}, fmt::format("cannot read it: {}", std::strerror(error)));
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  const auto close_at_end = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close_at_end)> closer(&descriptor, close_at_end);
  std::string text;
  std::array<char, 16 << 10> block;
  while (text.size() <= limit) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) fail(errno);
    if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace windlass::app
