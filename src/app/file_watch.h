// Tells when one file is to be looked at, as it may have changed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "base/time.h"
#include "input/change_watch.h"

namespace windlass::app {

/// Has the file looked at from time to time, and twice when it has been left alone for a moment after inotify told of a
/// change. Nobody tells of changes on network file systems, or of a symbolic link on the way that is pointed elsewhere.
/// On the io_context's thread.
class FileWatch {
 public:
  struct Times {
    base::Duration interval = std::chrono::milliseconds(500);  ///< between looks without news
    base::Duration moment = std::chrono::milliseconds(100);    ///< from the last news to a look, and to one more
  };

  /// `look` is called from the io_context, never from in here.
  FileWatch(boost::asio::io_context& context, const std::string& path, std::function<void()> look, Times times);
  FileWatch(boost::asio::io_context& context, const std::string& path, std::function<void()> look)
      : FileWatch(context, path, std::move(look), Times()) {}
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  /// So many looks after a moment each, and then the usual ones.
  void look_soon(int looks);
  void listen();

  const std::string directory_;
  const std::string name_;
  const std::function<void()> look_;
  const Times times_;
  input::ChangeWatch changes_;
  boost::asio::posix::stream_descriptor news_;  ///< the same as that of changes_, which is not its own
  boost::asio::steady_timer timer_;
};

}  // namespace windlass::app
