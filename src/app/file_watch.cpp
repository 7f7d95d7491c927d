#include "app/file_watch.h"

#include <algorithm>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace windlass::app {
namespace {

std::string directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path();
  return directory.empty() ? "." : directory;
}

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& context, const std::string& path, std::function<void()> look, Times times)
    : directory_(directory_of(path)),
      name_(std::filesystem::path(path).filename()),
      look_(std::move(look)),
      times_(times),
      news_(context),
      timer_(context) {
  changes_.watch({directory_});
  const int descriptor = changes_.descriptor() < 0 ? -1 : ::dup(changes_.descriptor());
  if (descriptor >= 0) {
    news_.assign(descriptor);
    listen();
  }
  look_soon(0);
}

void FileWatch::look_soon(int looks) {
  timer_.expires_after(looks > 0 ? times_.moment : times_.interval);
  timer_.async_wait([this, looks](boost::system::error_code error) {
    if (error) return;
    look_();
    // The directory may be another one by now.
    changes_.watch({directory_});
    look_soon(std::max(looks - 1, 0));
  });
}

void FileWatch::listen() {
  news_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    bool is_concerned = false;
    changes_.take([&](const std::string& path, input::ChangeWatch::Change) {
      is_concerned |= path.empty() || std::filesystem::path(path).filename() == name_;
    });
    if (is_concerned) look_soon(2);
    listen();
  });
}

}  // namespace windlass::app
