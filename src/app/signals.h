// SIGINT and SIGTERM as something to wait for.
#pragma once

#include <chrono>

namespace windlass::app {

/// While it lives, SIGINT and SIGTERM do nothing by themselves but are reported by wait(). To be made before any other
/// thread is started, so that all of them leave the signals alone.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// True when a signal came, false after the time or a wake().
  bool wait(std::chrono::milliseconds time);
  /// Ends a wait() that is under way, or the next one. From any thread.
  void wake();

 private:
  int signal_descriptor_ = -1;
  int wake_descriptor_ = -1;
};

}  // namespace windlass::app
